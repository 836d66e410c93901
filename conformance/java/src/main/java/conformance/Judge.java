package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.NpmPackageValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirDefaultPolicyAdvisor;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;

/**
 * Says of each resource in a file whether HL7's own validator finds it valid FHIR R4.
 *
 * <p>Asked with the hub's canonical base, the name of a FHIR NPM package on the class path, and two file names.
 * The first file holds one JSON object a line, {@code {"name": …, "body": …}}, where body is the resource as
 * text, exactly as it was sent. The second is written: one JSON object a line, in the same order,
 * {@code {"name": …, "issues": [{"severity", "id", "location", "message"}]}}, with the errors alone; an empty
 * list is a valid resource. Nothing is fetched: the definitions are those of R4 4.0.1 in the jar and those of
 * the package. A profile named in {@code meta.profile} is in force, and one that nobody knows is an error.
 *
 * <p>What is an error of the resource and what only says "I cannot know that code" is not decided here but in
 * {@code conformance/verdicts.py}, from the message's id.
 */
public final class Judge {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final FhirValidator validator;

  private Judge(String ownBase, String ownPackage) throws IOException {
    FhirContext r4 = FhirContext.forR4();
    NpmPackageValidationSupport own = new NpmPackageValidationSupport(r4);
    own.loadPackageFromClasspath("classpath:" + ownPackage);
    if (own.fetchAllStructureDefinitions().isEmpty()) {
      throw new IOException("no profile in " + ownPackage);
    }
    ValidationSupportChain definitions =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(r4),
            own,
            new CommonCodeSystemsTerminologyService(r4),
            new InMemoryTerminologyServerValidationSupport(r4),
            new SnapshotGeneratingValidationSupport(r4));
    FhirInstanceValidator rules = new FhirInstanceValidator(definitions);
    rules.setAnyExtensionsAllowed(false);
    rules.setCustomExtensionDomains(ownBase);
    rules.setErrorForUnknownProfiles(true);
    rules.setAssumeValidRestReferences(true);
    rules.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
    rules.setValidatorPolicyAdvisor(new TypesOfReferences());
    rules.setValidatorResourceFetcher(new NothingElsewhere());
    validator = r4.newValidator().registerValidatorModule(rules);
  }

  /** A reference must be of a type that its element allows; whether its target exists is another question. */
  private static final class TypesOfReferences extends FhirDefaultPolicyAdvisor {
    @Override
    public ReferenceValidationPolicy policyForReference(
        IResourceValidator asking, Object context, String path, String url, ReferenceDestinationType kind) {
      return ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS;
    }
  }

  /** Nothing is looked up elsewhere: a target outside the resource is not there, an address may exist. */
  private static final class NothingElsewhere implements IValidatorResourceFetcher {
    @Override
    public Element fetch(IResourceValidator asking, Object context, String url) {
      return null;
    }

    @Override
    public boolean resolveURL(
        IResourceValidator asking,
        Object context,
        String path,
        String url,
        String type,
        boolean canonical,
        List<CanonicalType> targets) {
      return true;
    }

    @Override
    public byte[] fetchRaw(IResourceValidator asking, String url) {
      return new byte[0];
    }

    @Override
    public IValidatorResourceFetcher setLocale(Locale locale) {
      return this;
    }

    @Override
    public CanonicalResource fetchCanonicalResource(IResourceValidator asking, Object context, String url) {
      return null;
    }

    @Override
    public boolean fetchesCanonicalResource(IResourceValidator asking, String url) {
      return false;
    }

    @Override
    public Set<ResourceVersionInformation> fetchCanonicalResourceVersions(
        IResourceValidator asking, Object context, String url) {
      return Set.of();
    }
  }

  private String judge(String line) throws IOException {
    JsonNode asked = JSON.readTree(line);
    ObjectNode answer = JSON.createObjectNode();
    answer.set("name", asked.get("name"));
    ArrayNode issues = answer.putArray("issues");
    try {
      for (SingleValidationMessage found : validator.validateWithResult(asked.get("body").asText()).getMessages()) {
        if (found.getSeverity().ordinal() >= ResultSeverityEnum.ERROR.ordinal()) {
          issues.addObject()
              .put("severity", found.getSeverity().getCode())
              .put("id", found.getMessageId())
              .put("location", found.getLocationString())
              .put("message", found.getMessage());
        }
      }
    } catch (RuntimeException unreadable) {
      issues.addObject()
          .put("severity", "fatal")
          .put("id", "unreadable")
          .put("location", "")
          .put("message", unreadable.toString());
    }
    return JSON.writeValueAsString(answer);
  }

  /** Judges every line of the first file into the second. */
  public static void main(String[] arguments) throws IOException, InterruptedException, ExecutionException {
    if (arguments.length != 4) {
      System.err.println("usage: Judge OWN-BASE PACKAGE-ON-CLASSPATH RESOURCES.ndjson VERDICTS.ndjson");
      System.exit(2);
    }
    Judge judge = new Judge(arguments[0], arguments[1]);
    int processors = Runtime.getRuntime().availableProcessors();
    ExecutorService workers = Executors.newFixedThreadPool(processors);
    try (BufferedReader asked = Files.newBufferedReader(Path.of(arguments[2]));
        BufferedWriter told = Files.newBufferedWriter(Path.of(arguments[3]))) {
      Deque<Future<String>> waiting = new ArrayDeque<>();
      for (String line = asked.readLine(); line != null || !waiting.isEmpty(); ) {
        if (line != null && waiting.size() < 4 * processors) {
          String resource = line;
          waiting.add(workers.submit(() -> judge.judge(resource)));
          line = asked.readLine();
          continue;
        }
        told.write(waiting.remove().get());
        told.newLine();
      }
    } finally {
      workers.shutdown();
    }
  }
}
