package conformance;

import ca.uhn.fhir.rest.param.TokenOrListParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.param.TokenParamModifier;
import java.util.function.Predicate;

/** How tokens are compared: system and code, either of them left open. */
final class Tokens {
    private Tokens() {}

    /** Tells whether one of some tokens fits, or with :not none; no token asked for fits everything. */
    static boolean any(TokenOrListParam wanted, Predicate<TokenParam> fits) {
        if (wanted == null) {
            return true;
        }
        boolean turned = wanted.getValuesAsQueryTokens().get(0).getModifier() == TokenParamModifier.NOT;
        return turned != wanted.getValuesAsQueryTokens().stream().anyMatch(fits);
    }

    /** Tells whether a system and a code are what a token asks for: null for any system, empty for none. */
    static boolean is(String system, String code, TokenParam wanted) {
        String asked = wanted.getSystem();
        boolean fits = asked == null || (asked.isEmpty() ? system == null : asked.equals(system));
        return fits && (wanted.getValue() == null || wanted.getValue().isEmpty() || wanted.getValue().equals(code));
    }
}
