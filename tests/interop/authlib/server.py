"""Authlib's authorization server for Flask with one public client, on http://localhost:8183. All in memory."""

import html
import time
from urllib.parse import urlencode

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207.parameter import IssuerParameter
from flask import Flask, jsonify, redirect, request, session

ISSUER = "http://localhost:8183"
REDIRECT_PATH = "bP95uZb7VBQRvdrtJVvhSA"
SCOPES = ["qod", "location"]

app = Flask(__name__)
app.secret_key = "interop"
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": 60}
app.config["OAUTH2_SCOPES_SUPPORTED"] = SCOPES


class Client(ClientMixin):
    client_id = "interop-app"
    redirect_uris = [
        f"https://nkcaacnhigngakebhebaldnbghooogac.chromiumapp.org/{REDIRECT_PATH}",
        f"https://83f425f2377c3d66489666a028ecfaceffcf6e28.extensions.allizom.org/{REDIRECT_PATH}",
    ]

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.redirect_uris[0]

    def get_allowed_scope(self, scope):
        return " ".join(word for word in (scope or "").split() if word in SCOPES)

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in self.redirect_uris

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "none"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


class Code(AuthorizationCodeMixin):
    def __init__(self, **members):
        self.__dict__.update(members)

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


class Token(TokenMixin):
    def __init__(self, user, **members):
        self.__dict__.update(members, user=user, issued_at=time.time(), revoked=False)

    def check_client(self, client):
        return client.client_id == CLIENT.client_id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_in

    def is_expired(self):
        return self.issued_at + self.expires_in < time.time()

    def is_revoked(self):
        return self.revoked

    def get_user(self):
        return self.user

    def get_client(self):
        return CLIENT


CLIENT = Client()
CODES: dict[str, Code] = {}
TOKENS: list[Token] = []


def save_token(token, oauth_request):
    TOKENS.append(Token(oauth_request.user, **{"refresh_token": None, **token}))


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]

    def save_authorization_code(self, code, oauth_request):
        payload = oauth_request.payload
        CODES[code] = Code(
            code=code,
            user=oauth_request.user,
            scope=payload.scope,
            redirect_uri=payload.redirect_uri,
            code_challenge=payload.data.get("code_challenge"),
            code_challenge_method=payload.data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code, client):
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code):
        del CODES[authorization_code.code]

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        for token in TOKENS:
            if token.refresh_token == refresh_token and not token.revoked:
                return token
        return None

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.revoked = True


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["none"]

    def query_token(self, token_string, token_type_hint):
        for token in TOKENS:
            if token_string in (token.access_token, token.refresh_token):
                return token
        return None

    def revoke_token(self, token, oauth_request):
        token.revoked = True


class Issuer(IssuerParameter):
    def get_issuer(self):
        return ISSUER


ISSUER_PARAMETER = Issuer()
server = AuthorizationServer(
    app, query_client=lambda client_id: CLIENT if client_id == CLIENT.client_id else None, save_token=save_token
)
server.register_grant(CodeGrant, [CodeChallenge(required=True)])
server.register_grant(RefreshGrant)
server.register_endpoint(Revocation)
server.register_extension(ISSUER_PARAMETER)


@app.get("/.well-known/oauth-authorization-server")
def metadata():
    return jsonify(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        revocation_endpoint=f"{ISSUER}/revoke",
        scopes_supported=SCOPES,
        response_types_supported=["code"],
        grant_types_supported=["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported=["none"],
        revocation_endpoint_auth_methods_supported=["none"],
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )


@app.route("/sign-in", methods=["GET", "POST"])
def sign_in():
    if (request.form.get("username"), request.form.get("password")) == ("alice", "correct horse"):
        session["user"] = "alice"
        return redirect(request.args["next"])
    return """<!doctype html><title>Sign in</title><form method="post">
      <input name="username"><input name="password" type="password"><input type="submit"></form>"""


@app.route("/authorize", methods=["GET", "POST"])
def authorize():
    user = session.get("user")
    if not user:
        if request.args.get("prompt") != "none":
            return redirect("/sign-in?" + urlencode({"next": request.full_path}))
    try:
        grant = server.get_consent_grant(end_user=user)
    except OAuth2Error as error:
        # This response passes no extension of Authlib, so `iss` is added here (RFC 9207 section 2).
        response = server.handle_error_response(None, error)
        ISSUER_PARAMETER.add_issuer_parameter(server, response)
        return response
    if request.method == "POST" and "allow" in request.form:
        return server.create_authorization_response(grant_user=user, grant=grant)
    scope = html.escape(grant.request.payload.scope or "")
    return f"""<!doctype html><title>Allow</title><form method="post"><p>{scope}</p>
      <button name="allow">Allow</button></form>"""


@app.post("/token")
def token():
    return server.create_token_response()


@app.post("/revoke")
def revoke():
    return server.create_endpoint_response(Revocation.ENDPOINT_NAME)


app.run(host="127.0.0.1", port=8183)
