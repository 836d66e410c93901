package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.model.api.TemporalPrecisionEnum;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.annotation.Sort;
import ca.uhn.fhir.rest.api.SortOrderEnum;
import ca.uhn.fhir.rest.api.SortSpec;
import ca.uhn.fhir.rest.param.DateParam;
import ca.uhn.fhir.rest.param.DateRangeParam;
import ca.uhn.fhir.rest.param.ParamPrefixEnum;
import ca.uhn.fhir.rest.param.ReferenceParam;
import ca.uhn.fhir.rest.param.TokenOrListParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.provider.HashMapResourceProvider;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.r4.model.BaseDateTimeType;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.DateTimeType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Period;

/** Observations in memory, found by id, person, code, status and date. */
public final class ObservationProvider extends HashMapResourceProvider<Observation> {
    public ObservationProvider(FhirContext fhir) {
        super(fhir, Observation.class);
    }

    /** Gives the observations that have all that is asked for. */
    @Search
    public List<Observation> find(
            @OptionalParam(name = "_id") TokenOrListParam ids,
            @OptionalParam(name = "patient") ReferenceParam patient,
            @OptionalParam(name = "code") TokenOrListParam code,
            @OptionalParam(name = "status") TokenOrListParam status,
            @OptionalParam(name = "date") DateRangeParam date,
            @Sort SortSpec sort) {
        if (patient != null && patient.getChain() != null) {
            throw new InvalidRequestException("There are no chains here.");
        }
        Stream<Observation> found = getStoredResources().stream()
                .filter(one -> Tokens.any(ids, token -> token.getValue().equals(one.getIdElement().getIdPart())))
                .filter(one -> patient == null
                        || one.getSubject().getReferenceElement().getIdPart().equals(patient.getIdPart()))
                .filter(one -> Tokens.any(code, token -> coded(one.getCode(), token)))
                .filter(one -> Tokens.any(status, token -> one.hasStatus()
                        && token.getValue().equals(one.getStatus().toCode())))
                .filter(one -> date == null || within(one, date));
        if (sort != null && "date".equals(sort.getParamName())) {
            Comparator<Observation> byDate = Comparator.comparing(
                    one -> bounds(one)[0], Comparator.nullsLast(Comparator.naturalOrder()));
            found = found.sorted(sort.getOrder() == SortOrderEnum.DESC ? byDate.reversed() : byDate);
        }
        return found.toList();
    }

    private static boolean coded(CodeableConcept concept, TokenParam wanted) {
        return concept.getCoding().stream().anyMatch(one -> Tokens.is(one.getSystem(), one.getCode(), wanted));
    }

    private static boolean within(Observation observation, DateRangeParam wanted) {
        Date[] have = bounds(observation);
        return Stream.of(wanted.getLowerBound(), wanted.getUpperBound())
                .allMatch(bound -> bound == null || fits(have, bound));
    }

    private static boolean fits(Date[] have, DateParam bound) {
        if (bound.getMissing() != null || have[0] == null) {
            return bound.getMissing() != null && bound.getMissing() == (have[0] == null);
        }
        DateTimeType asked = new DateTimeType(bound.getValueAsString());
        Date start = asked.getValue();
        Date end = last(asked);
        boolean contained = !have[0].before(start) && !have[1].after(end);
        ParamPrefixEnum prefix = bound.getPrefix() == null ? ParamPrefixEnum.EQUAL : bound.getPrefix();
        return switch (prefix) {
            case NOT_EQUAL -> !contained;
            case GREATERTHAN -> have[1].after(end);
            case GREATERTHAN_OR_EQUALS -> !have[1].before(start);
            case LESSTHAN -> have[0].before(start);
            case LESSTHAN_OR_EQUALS -> !have[0].after(end);
            case STARTS_AFTER -> have[0].after(end);
            case ENDS_BEFORE -> have[1].before(start);
            default -> contained;
        };
    }

    /** Gives the first and the last moment an observation may have been made; two nulls where it has none. */
    private static Date[] bounds(Observation observation) {
        if (observation.getEffective() instanceof Period period) {
            return new Date[] {period.getStart(), last(period.getEndElement())};
        }
        if (observation.getEffective() instanceof DateTimeType moment) {
            return new Date[] {moment.getValue(), last(moment)};
        }
        return new Date[] {null, null};
    }

    private static Date last(BaseDateTimeType moment) {
        if (moment.getPrecision().ordinal() > TemporalPrecisionEnum.DAY.ordinal()) {
            return moment.getValue();
        }
        BaseDateTimeType next = (BaseDateTimeType) moment.copy();
        next.add(next.getPrecision().getCalendarConstant(), 1);
        return new Date(next.getValue().getTime() - 1);
    }
}
