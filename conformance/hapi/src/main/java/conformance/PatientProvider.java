package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.param.StringParam;
import ca.uhn.fhir.rest.param.TokenOrListParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.provider.HashMapResourceProvider;
import ca.uhn.fhir.util.StringUtil;
import java.util.List;
import org.hl7.fhir.r4.model.HumanName;
import org.hl7.fhir.r4.model.Identifier;
import org.hl7.fhir.r4.model.Patient;

/** Persons in memory, found by id, family name, identifier and gender. */
public final class PatientProvider extends HashMapResourceProvider<Patient> {
    public PatientProvider(FhirContext fhir) {
        super(fhir, Patient.class);
    }

    /** Gives the persons that have all that is asked for. */
    @Search
    public List<Patient> find(
            @OptionalParam(name = "_id") TokenOrListParam ids,
            @OptionalParam(name = "family") StringParam family,
            @OptionalParam(name = "identifier") TokenOrListParam identifier,
            @OptionalParam(name = "gender") TokenOrListParam gender) {
        return getStoredResources().stream()
                .filter(one -> Tokens.any(ids, token -> token.getValue().equals(one.getIdElement().getIdPart())))
                .filter(one -> family == null || one.getName().stream().anyMatch(name -> named(name, family)))
                .filter(one -> Tokens.any(identifier, token -> one.getIdentifier().stream().anyMatch(i -> is(i, token))))
                .filter(one -> Tokens.any(gender, token -> one.hasGender()
                        && token.getValue().equals(one.getGender().toCode())))
                .toList();
    }

    private static boolean named(HumanName name, StringParam wanted) {
        if (!name.hasFamily()) {
            return false;
        }
        if (wanted.isExact()) {
            return name.getFamily().equals(wanted.getValue());
        }
        String have = StringUtil.normalizeStringForSearchIndexing(name.getFamily());
        String want = StringUtil.normalizeStringForSearchIndexing(wanted.getValue());
        return wanted.isContains() ? have.contains(want) : have.startsWith(want);
    }

    private static boolean is(Identifier identifier, TokenParam wanted) {
        return Tokens.is(identifier.getSystem(), identifier.getValue(), wanted);
    }
}
