package interop;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.IHttpResponse;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.Consent;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Reference;
import org.hl7.fhir.r4.model.ServiceRequest;
import org.hl7.fhir.r4.model.Task;

/**
 * Drives a hub with HAPI FHIR's client, in JSON or XML, as an EHR built on HAPI would.
 *
 * Arguments: the encoding (JSON or XML), the FHIR base, a token of the shelter, a token of the clinic, and a folder
 * with patient.json, observation.json, consent.json, request.json, task.json. What it saw goes to standard output,
 * one "name=value" a line; tests/interop/test_hapi_client.py says what is right.
 */
public final class Drive {
  private static final FhirContext R4 = FhirContext.forR4();
  private static final Map<String, Object> SEEN = new TreeMap<>();
  private static final java.util.Set<String> SPOKEN = new java.util.TreeSet<>();

  private Drive() {}

  public static void main(String[] asked) throws Exception {
    R4.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
    EncodingEnum encoding = EncodingEnum.valueOf(asked[0]);
    IGenericClient ours = client(asked[1], asked[2], encoding);
    IGenericClient theirs = client(asked[1], asked[3], encoding);
    java.nio.file.Path folder = java.nio.file.Path.of(asked[4]);

    CapabilityStatement found = ours.capabilities().ofType(CapabilityStatement.class).execute();
    SEEN.put("fhirVersion", found.getFhirVersion().toCode());

    Patient patient = read(folder, "patient", Patient.class);
    IIdType person = created(ours, patient);
    SEEN.put("name", ours.read().resource(Patient.class).withId(person).execute().getNameFirstRep().getText());
    for (int number = 0; number < 5; number++) {
      Observation observation = read(folder, "observation", Observation.class);
      observation.setSubject(new Reference(person.toUnqualifiedVersionless()));
      created(ours, observation);
    }
    Bundle page =
        ours.search()
            .forResource(Observation.class)
            .where(Observation.PATIENT.hasId(person.toUnqualifiedVersionless()))
            .count(2)
            .returnBundle(Bundle.class)
            .execute();
    List<Integer> pages = new ArrayList<>();
    pages.add(page.getEntry().size());
    while (page.getLink(Bundle.LINK_NEXT) != null) {
      page = ours.loadPage().next(page).execute();
      pages.add(page.getEntry().size());
    }
    SEEN.put("pages", pages);

    Consent consent = read(folder, "consent", Consent.class);
    consent.setPatient(new Reference(person.toUnqualifiedVersionless()));
    consent.setPerformer(List.of(new Reference(person.toUnqualifiedVersionless())));
    created(ours, consent);
    ServiceRequest request = read(folder, "request", ServiceRequest.class);
    request.setSubject(new Reference(person.toUnqualifiedVersionless()));
    IIdType asking = created(ours, request);
    Task task = read(folder, "task", Task.class);
    task.setFor(new Reference(person.toUnqualifiedVersionless()));
    task.setFocus(new Reference(asking.toUnqualifiedVersionless()));
    IIdType made = created(ours, task);

    Bundle inbox =
        theirs.search()
            .forResource(Task.class)
            .where(Task.STATUS.exactly().code("requested"))
            .include(Task.INCLUDE_FOCUS)
            .returnBundle(Bundle.class)
            .execute();
    SEEN.put(
        "inbox",
        inbox.getEntry().stream()
            .map(one -> one.getResource().fhirType() + " " + one.getSearch().getMode().toCode())
            .sorted()
            .collect(Collectors.toList()));

    Task card = theirs.read().resource(Task.class).withId(made.toUnqualifiedVersionless()).execute();
    card.setStatus(Task.TaskStatus.ACCEPTED);
    Task moved = updated(theirs, card);
    SEEN.put("moved", moved.getStatus().toCode());
    SEEN.put("stale", status(() -> updated(theirs, card)));
    SEEN.put("history", ours.history().onInstance(made.toUnqualifiedVersionless()).returnBundle(Bundle.class).execute()
        .getEntry().size());
    SEEN.put("nobody", status(() -> ours.read().resource(Patient.class).withId("00000000-0000-4000-8000-000000000000")
        .execute()));
    Parameters actions =
        theirs.operation().onInstance(made.toUnqualifiedVersionless()).named("$available-actions")
            .withNoParameters(Parameters.class).useHttpGet().execute();
    SEEN.put("actions", !actions.getParameter().isEmpty());

    Bundle together = new Bundle().setType(Bundle.BundleType.TRANSACTION);
    together.addEntry().setFullUrl("urn:uuid:5b0d3f1e-36a5-4c0e-9f52-0d7c1a1a2b3c").setResource(read(folder, "patient", Patient.class))
        .getRequest().setMethod(Bundle.HTTPVerb.POST).setUrl("Patient");
    Observation beside = read(folder, "observation", Observation.class);
    beside.setSubject(new Reference("urn:uuid:5b0d3f1e-36a5-4c0e-9f52-0d7c1a1a2b3c"));
    together.addEntry().setResource(beside).getRequest().setMethod(Bundle.HTTPVerb.POST).setUrl("Observation");
    Bundle answered = ours.transaction().withBundle(together).execute();
    SEEN.put("transaction", answered.getEntry().stream()
        .map(one -> one.getResponse().getStatus().substring(0, 3)).collect(Collectors.toList()));

    SEEN.put("spoken", SPOKEN);
    SEEN.forEach((name, value) -> System.out.println(name + "=" + value));
  }

  private static IGenericClient client(String base, String token, EncodingEnum encoding) {
    IGenericClient made = R4.newRestfulGenericClient(base);
    made.registerInterceptor(new BearerTokenAuthInterceptor(token));
    made.setEncoding(encoding);
    made.registerInterceptor(new Spoken());
    return made;
  }

  /** Notes the media types that came. */
  public static final class Spoken {
    @Hook(Pointcut.CLIENT_RESPONSE)
    public void note(IHttpResponse answer) {
      if (answer.getMimeType() != null) {
        SPOKEN.add(answer.getMimeType());
      }
    }
  }

  private static <T extends IBaseResource> T read(java.nio.file.Path folder, String name, Class<T> type)
      throws java.io.IOException {
    return R4.newJsonParser().parseResource(type, java.nio.file.Files.readString(folder.resolve(name + ".json")));
  }

  private static IIdType created(IGenericClient client, IBaseResource resource) {
    MethodOutcome outcome = client.create().resource(resource).prefer(PreferReturnEnum.REPRESENTATION).execute();
    return outcome.getId();
  }

  private static Task updated(IGenericClient client, Task task) {
    // The library itself sends If-Match with the version the resource was read at.
    return (Task) client.update().resource(task).prefer(PreferReturnEnum.REPRESENTATION).execute().getResource();
  }

  private static int status(Runnable act) {
    try {
      act.run();
      return 200;
    } catch (BaseServerResponseException problem) {
      return problem.getStatusCode();
    }
  }
}
