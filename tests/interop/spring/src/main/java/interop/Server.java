package interop;

import java.util.Map;
import java.util.Objects;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.oauth2.server.authorization.OAuth2TokenType;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;

/** Spring Authorization Server as Spring Boot configures it. The settings are in application.yml. */
@SpringBootApplication
public class Server {
  private static final Map<String, String> AUDIENCES =
      Map.of(
          "qod", "http://127.0.0.1:5181/qod/v1",
          "location", "http://127.0.0.1:5181/location/v1");

  public static void main(String[] args) {
    SpringApplication.run(Server.class, args);
  }

  /** The server does not know `resource` (RFC 8707): the scope tells which API an access token is for. */
  @Bean
  OAuth2TokenCustomizer<JwtEncodingContext> audience() {
    return (context) -> {
      if (!OAuth2TokenType.ACCESS_TOKEN.equals(context.getTokenType())) return;
      var audiences =
          context.getAuthorizedScopes().stream().map(AUDIENCES::get).filter(Objects::nonNull).toList();
      context.getClaims().audience(audiences);
    };
  }
}
