package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.server.FifoMemoryPagingProvider;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.HashMapResourceProvider;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.hl7.fhir.r4.model.Binary;
import org.hl7.fhir.r4.model.CarePlan;
import org.hl7.fhir.r4.model.Condition;
import org.hl7.fhir.r4.model.Organization;
import org.hl7.fhir.r4.model.ServiceRequest;

/**
 * A plain HAPI server in memory: what HAPI does by itself, over resources that are gone when it ends.
 *
 * <p>The conformance suite is run on it, so that the suite meets a server of others. It has no tokens, no
 * transactions and no search but the few of {@link PatientProvider} and {@link ObservationProvider}.
 *
 * <p>Arguments: the port of 127.0.0.1 to listen on, and the port it names in its addresses.
 */
public final class PlainServer {
    private PlainServer() {}

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        FhirContext fhir = FhirContext.forR4();
        RestfulServer rest = new RestfulServer(fhir);
        rest.setResourceProviders(
                new PatientProvider(fhir),
                new ObservationProvider(fhir),
                new HashMapResourceProvider<>(fhir, Condition.class),
                new HashMapResourceProvider<>(fhir, Binary.class),
                new HashMapResourceProvider<>(fhir, CarePlan.class),
                new HashMapResourceProvider<>(fhir, ServiceRequest.class),
                new HashMapResourceProvider<>(fhir, Organization.class));
        rest.setPagingProvider(new FifoMemoryPagingProvider(100));
        rest.setServerAddressStrategy(new HardcodedServerAddressStrategy("http://127.0.0.1:" + arguments[1] + "/fhir"));
        rest.setImplementationDescription("A plain server in memory");

        Server server = new Server(new java.net.InetSocketAddress("127.0.0.1", port));
        ServletContextHandler context = new ServletContextHandler("/");
        context.addServlet(new ServletHolder(rest), "/fhir/*");
        server.setHandler(context);
        server.start();
        server.join();
    }
}
