//! What clients of Profile, Register, Authentication and Authorization see, through a real socket.

#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use altinn_services::kit::api::{Api, Endpoint};
use altinn_services::kit::body::Json;
use altinn_services::kit::front::Front;
use altinn_services::kit::peer::Peer;
use altinn_services::kit::token::{SigningKey, jwt};
use axum::extract::Path;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use world::{KEY_OF_THE_STACK, World, claims, sign};

#[tokio::test]
async fn the_document_leads_where_the_caller_stands() {
    let world = World::new(true).await;
    let path = "/authentication/api/v1/openid/.well-known/openid-configuration";
    let document = world.json(path, "").await;
    let keys = world
        .json(document["jwks_uri"].as_str().unwrap().strip_prefix(&world.base).unwrap(), "")
        .await;
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kty"], &key["alg"], &key["use"]),
        (&json!("RSA"), &json!("RS256"), &json!("sig"))
    );
    assert_eq!(key["kid"].as_str().unwrap(), world.key().id());
    let outside = world
        .client
        .get(format!("{}{path}/", world.base))
        .header("X-Forwarded-Host", "platform.altinn.localhost:8800")
        .header("x-forwarded-proto", "https")
        .send()
        .await
        .unwrap();
    let outside: Value = outside.json().await.unwrap();
    assert_eq!(outside["jwks_uri"], format!("https://platform.altinn.localhost:8800{path}/jwks"));
    assert_eq!(
        outside["issuer"],
        "https://platform.altinn.localhost:8800/authentication/api/v1/openid/"
    );
}

#[tokio::test]
async fn tokens_of_every_kind() {
    let world = World::new(true).await;
    for (path, expected) in [
        (
            "/Home/GetTestUserToken/1337",
            json!({ "urn:altinn:userid": "1337", "urn:altinn:partyid": 501_337, "urn:altinn:authlevel": 2, "scope": "altinn:portal/enduser", "pid": "01039012345" }),
        ),
        (
            "/home/gettestusertoken/1337/?AuthenticationLevel=4",
            json!({ "urn:altinn:authlevel": 4 }),
        ),
        ("/Home/GetTestUserToken?userId=12345", json!({ "urn:altinn:username": "OlaNordmann" })),
        (
            "/Home/GetTestUserToken/1004",
            json!({ "urn:altinn:authenticatemethod": "SelfIdentified", "urn:altinn:authlevel": 0 }),
        ),
        (
            "/Home/GetTestOrgToken/ttd",
            json!({ "urn:altinn:org": "ttd", "urn:altinn:orgNumber": "405003309", "urn:altinn:authlevel": 3, "consumer": { "authority": "iso6523-actorid-upis", "ID": "0192:405003309" } }),
        ),
        (
            "/Home/GetTestOrgToken?org=abc&orgNumber=991825827&authenticationLevel=3&scopes=a%20b",
            json!({ "urn:altinn:org": "abc", "scope": "a b" }),
        ),
        ("/Home/auth/user", json!({ "urn:altinn:userid": "1337" })),
        ("/Home/auth/user?userId=1337&partyId=500000&scope=x", json!({ "scope": "x" })),
        (
            "/Home/auth/selfidentifieduser?username=selvregistrert",
            json!({ "urn:altinn:userid": "1004" }),
        ),
        (
            "/Home/auth/org",
            json!({ "urn:altinn:orgNumber": "897069650", "scope": "altinn:instances.read altinn:instances.write" }),
        ),
        ("/Home/auth/serviceowner?org=ttd&orgNumber=405003309", json!({ "urn:altinn:org": "ttd" })),
        (
            "/Home/auth/systemuser",
            json!({ "urn:altinn:orgNumber": "913312465", "authorization_details": { "type": "urn:altinn:systemuser", "systemuser_id": ["d111dbab-d619-4f15-bf29-58fe570a9ae6"], "system_id": "913312465_sbs", "systemuser_org": { "authority": "iso6523-actorid-upis", "ID": "0192:950474084" } } }),
        ),
        ("/Home/auth/generate?type=5&org=ttd", json!({ "urn:altinn:org": "ttd" })),
        ("/authentication/api/v1/orgToken?org=ttd", json!({ "urn:altinn:org": "ttd" })),
        (
            "/authentication/api/v1/appToken?userId=1337&authenticationLevel=3",
            json!({ "urn:altinn:authlevel": 3 }),
        ),
    ] {
        let (status, token) = world.get(path, "").await;
        assert_eq!(status, 200, "{path}: {token}");
        let found = claims(&token);
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&found[name], value, "{path}: {name}");
        }
        assert!(
            found["exp"].as_i64().unwrap() > jwt::now() + 3600
                && found["actual_iss"] == "localtest"
        );
        // Each of them opens doors.
        let (status, again) = world.get("/authentication/api/v1/refresh", &token).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(claims(&again)["scope"], found["scope"]);
    }
}

#[tokio::test]
async fn who_is_who() {
    let world = World::new(false).await;
    let sophie = world.user(1337).await;
    let ttd = world.get("/Home/GetTestOrgToken/ttd", "").await.1;
    let profile = world.json("/profile/api/v1/users/current", &sophie).await;
    assert_eq!(profile, world.json("/Profile/API/V1/Users/1337/", &sophie).await);
    assert_eq!(profile["party"]["name"], "Sophie Salt");
    assert_eq!(profile["party"]["partyTypeName"], 1);
    assert_eq!(profile["profileSettingPreference"]["language"], "nn");
    let uuid = "/profile/api/v1/users/byuuid/e9dd7d91-32d8-4933-a108-07562762d572";
    assert_eq!(world.json(uuid, &sophie).await["userId"], 1337);
    assert_eq!(
        world.post("/profile/api/v1/users", &ttd, json!("01039012345")).await.1["userId"],
        1337
    );
    for sought in [
        json!({ "userId": 1337 }),
        json!({ "Username": "sophieddg" }),
        json!({ "ssn": "01039012345" }),
    ] {
        assert_eq!(world.post("/profile/api/v1/internal/user", "", sought).await.1["userId"], 1337);
    }

    let list = world.json("/authorization/api/v1/parties?userid=1337", &sophie).await;
    assert_eq!(list.as_array().unwrap().len(), 8);
    assert_eq!(list[1]["childParties"].as_array().unwrap().len(), 3);
    for (party, told) in
        [(501_337, true), (500_001, true), (500_800, true), (512_345, false), (1, false)]
    {
        let path = format!("/authorization/api/v1/parties/{party}/validate?userid=1337");
        assert_eq!(world.json(&path, &sophie).await, json!(told), "{party}");
    }
    let roles = world
        .json("/authorization/api/v1/roles?coveredByUserId=1337&offeredByPartyId=500004", &sophie)
        .await;
    assert_eq!(roles, json!([{ "type": "altinn", "value": "DAGL" }]));

    assert_eq!(
        world.json("/register/api/v1/parties/500000", &sophie).await["orgNumber"],
        "897069650"
    );
    assert_eq!(world.json("/register/api/v1/parties/512345", &ttd).await["ssn"], "01017512345");
    assert_eq!(
        world.json("/register/api/v1/organizations/910423185", &sophie).await["name"],
        "EAS Health Consulting Svolvær"
    );
    for (body, party) in [
        (json!({ "ssn": "01039012345", "orgNo": null }), 501_337),
        (json!({ "OrgNo": "405003309" }), 500_005),
    ] {
        assert_eq!(
            world.post("/register/api/v1/parties/lookup", &sophie, body).await.1["partyId"],
            party
        );
    }
    let urns = json!({ "data": ["urn:altinn:person:identifier-no:01039012345", "urn:altinn:user:id:1337", "urn:altinn:organization:identifier-no:897069650", "urn:altinn:nothing:7", "x"] });
    let found =
        world.post("/register/api/v1/apps/parties/query?fields=id,user.id", "", urns).await.1;
    assert_eq!(
        (
            &found["data"][0]["partyId"],
            &found["data"][0]["user"]["userId"],
            &found["data"][1]["partyId"]
        ),
        (&json!(501_337), &json!(1337), &json!(500_000))
    );
    assert_eq!(found["data"].as_array().unwrap().len(), 2);
    let list = world
        .post("/register/api/v1/parties/partylist?fetchSubUnits=True", "", json!([500_000, 7]))
        .await
        .1;
    assert_eq!(list[0]["childParties"].as_array().unwrap().len(), 3);
    let names = world
        .post(
            "/register/api/v1/parties/nameslookup",
            "",
            json!({ "parties": [{ "ssn": "01039012345" }, { "orgNo": "000000000" }] }),
        )
        .await
        .1;
    assert_eq!(
        (&names["partyNames"][0]["name"], &names["partyNames"][1]["name"]),
        (&json!("Sophie Salt"), &Value::Null)
    );
    let ids = world
        .json("/register/api/v1/parties/identifiers?ids=500000,501337&orgs=405003309", &ttd)
        .await;
    assert_eq!(ids.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn settings_are_kept() {
    let world = World::new(false).await;
    let token = world.user(1337).await;
    let path = "/profile/api/v1/users/current/profilesettings";
    let put = world.client.put(format!("{}{path}", world.base)).bearer_auth(&token);
    let body =
        json!({ "language": "en", "preselectedPartyUuid": "77cab4d6-84bb-4eb2-91bd-710415a72d8a" });
    assert_eq!(put.json(&body).send().await.unwrap().status(), 200);
    let change = world.client.patch(format!("{}{path}", world.base)).bearer_auth(&token);
    assert_eq!(
        change.json(&json!({ "doNotPromptForParty": true })).send().await.unwrap().status(),
        200
    );
    let set = &world.json("/profile/api/v1/users/1337", &token).await["profileSettingPreference"];
    assert_eq!(
        (&set["language"], &set["preSelectedPartyId"], &set["doNotPromptForParty"]),
        (&json!("en"), &json!(500_000), &json!(true))
    );
}

#[tokio::test]
async fn persons_by_number_and_name_but_not_by_guessing() {
    let world = World::new(false).await;
    let token = world.user(12345).await;
    let ask = async |ssn: &str, name: &str| {
        let request = world.client.get(format!("{}/register/api/v1/persons", world.base));
        let request = request.bearer_auth(&token);
        let request = request.header("x-ai-nationalidentitynumber", STANDARD.encode(ssn));
        request
            .header("X-AI-LASTNAME", STANDARD.encode(name))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(ask("01039012345", "SALT").await, 200);
    for expected in [404, 404, 404, 429] {
        assert_eq!(ask("01039012345", "Pepper").await, expected);
    }
    assert_eq!(ask("01039012345", "Salt").await, 429);
}

/// The true flow of an app on a host name that is not localtest's.
#[tokio::test]
async fn from_maskinporten_to_a_service_owner() {
    let world = World::new(true).await;
    let known = world.json("/maskinporten/.well-known/oauth-authorization-server", "").await;
    assert_eq!(known["token_endpoint"], format!("{}/maskinporten/token", world.base));
    let apps_key = SigningKey::keep(&world.path("app")).unwrap();
    let assertion = sign(
        &apps_key,
        &json!({ "iss": "ttd-demo", "scope": "altinn:serviceowner/instances.read altinn:serviceowner/instances.write", "exp": jwt::now() + 60, "aud": known["issuer"] }),
    );
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
    );
    let answer = world
        .client
        .post(known["token_endpoint"].as_str().unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    let foreign = answer["access_token"].as_str().unwrap();
    let (status, token) =
        world.get("/authentication/api/v1/exchange/maskinporten?test=false", foreign).await;
    assert_eq!(status, 200, "{token}");
    let found = claims(&token);
    assert_eq!(
        (&found["urn:altinn:org"], &found["urn:altinn:orgNumber"]),
        (&json!("ttd"), &json!("405003309"))
    );

    // Studio's own tokens are trusted once its keys are there, at once.
    let studio = SigningKey::keep(&world.path("studio")).unwrap();
    let foreign = sign(
        &studio,
        &json!({ "iss": "dev-studio", "urn:altinn:app": "studio.designer", "exp": jwt::now() + 60 }),
    );
    let path = "/authentication/api/v1/exchange/altinnstudio";
    assert_eq!(world.get(path, &foreign).await.0, 401);
    std::fs::create_dir_all(world.path("keys/exchange")).unwrap();
    let keys = json!({ "keys": [studio.public().jwk()] }).to_string();
    std::fs::write(world.path("keys/exchange/altinnstudio.json"), keys).unwrap();
    let answer = world.client.get(format!("{}{path}", world.base)).bearer_auth(&foreign);
    let answer = answer.header("accept", "application/json").send().await.unwrap();
    let token: String = answer.json().await.unwrap();
    assert_eq!(claims(&token)["urn:altinn:app"], "studio.designer");
}

#[tokio::test]
async fn apps_are_known_by_their_certificate() {
    let world = World::new(true).await;
    let user = world.user(1337).await;
    let key = SigningKey::keep(&world.path("ttd")).unwrap();
    let ask = async |token: &str| {
        let request = world.client.get(format!("{}/profile/api/v1/users/1337", world.base));
        let request = request.bearer_auth(&user).header("platformaccesstoken", token);
        request.send().await.unwrap().status().as_u16()
    };
    let now = jwt::now();
    let good = sign(
        &key,
        &json!({ "iss": "ttd", "urn:altinn:app": "demo", "aud": "platform.altinn.no", "nbf": now - 5, "exp": now + 300 }),
    );
    assert_eq!(ask(&good).await, 401, "no certificate yet");
    let pem = std::fs::read_to_string(world.path("ttd/signing-key.pem")).unwrap();
    let pair = rcgen::KeyPair::from_pem_and_sign_algo(&pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["ttd".to_owned()]).unwrap().self_signed(&pair).unwrap();
    std::fs::create_dir_all(world.path("certificates")).unwrap();
    std::fs::write(world.path("certificates/ttd.pem"), certificate.pem()).unwrap();
    assert_eq!(ask(&good).await, 200);
    std::fs::remove_file(world.path("certificates/ttd.pem")).unwrap();
    std::fs::write(world.path("certificates/ttd.cer"), STANDARD.encode(certificate.der())).unwrap();
    assert_eq!(ask(&good).await, 200, "as in the vault");
    for (what, token) in [
        ("nothing", String::new()),
        ("no app", sign(&key, &json!({ "iss": "ttd", "exp": now + 300 }))),
        ("ended", sign(&key, &json!({ "iss": "ttd", "urn:altinn:app": "demo", "exp": now - 300 }))),
        (
            "another issuer",
            sign(&key, &json!({ "iss": "brg", "urn:altinn:app": "demo", "exp": now + 300 })),
        ),
        (
            "a path",
            sign(
                &key,
                &json!({ "iss": "../access/ttd", "urn:altinn:app": "demo", "exp": now + 300 }),
            ),
        ),
        (
            "the platform's name",
            sign(&key, &json!({ "iss": "platform", "urn:altinn:app": "demo", "exp": now + 300 })),
        ),
        (
            "another key",
            world.token(&json!({ "iss": "ttd", "urn:altinn:app": "demo", "exp": now + 300 })),
        ),
    ] {
        assert_eq!(ask(&token).await, 401, "{what}");
    }
}

#[tokio::test]
async fn the_browser_logs_in_and_out() {
    let world = World::new(true).await;
    let host = "platform.altinn.localhost:8800";
    let goto = "http://ttd.apps.altinn.localhost:8800/ttd/demo/";
    let get = |path: String| world.client.get(format!("{}{path}", world.base)).header("host", host);
    let encoded: String = form_urlencoded::byte_serialize(goto.as_bytes()).collect();
    let answer =
        get(format!("/authentication/api/v1/authentication?goto={encoded}")).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    let page = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(page, format!("http://{host}/?goto={encoded}"));
    let html = get(format!("/?goto={encoded}")).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("Sophie Salt") && html.contains("1337.500001") && html.contains(goto));

    let log_in = |body: String| {
        let request = world.client.post(format!("{}/Home/LogInTestUser", world.base));
        request
            .header("host", host)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let body = format!("UserSelect=1337.500000&AuthenticationLevel=2&goto={encoded}");
    let answer = log_in(body.clone()).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (302, &goto.parse().unwrap())
    );
    let cookies: Vec<&str> = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    assert!(
        cookies[0].starts_with("AltinnStudioRuntime=ey")
            && cookies[0].contains("Domain=altinn.localhost")
            && cookies[0].contains("HttpOnly"),
        "{cookies:?}"
    );
    assert!(cookies[1].starts_with("AltinnPartyId=500000;") && !cookies[1].contains("HttpOnly"));
    let token = cookies[0].split(';').next().unwrap();
    let whole = get("/profile/api/v1/users/current".to_owned()).header("cookie", token);
    assert_eq!(whole.send().await.unwrap().status(), 200);
    let (name, value) = token.split_once('=').unwrap();
    let (one, two) = value.split_at(value.len() / 2);
    let page =
        get("/".to_owned()).header("cookie", token).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("logged in as <strong>Sophie Salt"));
    let chunks = format!("{name}=chunks-2; {name}C1={one}; {name}C2={two}");
    let chunked = get("/profile/api/v1/users/current".to_owned()).header("cookie", chunks);
    assert_eq!(chunked.send().await.unwrap().status(), 200);

    for (what, body, status, location) in [
        (
            "elsewhere",
            "UserSelect=1337&goto=http%3A%2F%2Fevil.example%2F",
            302,
            Some(format!("http://{host}/")),
        ),
        (
            "a look-alike",
            "UserSelect=1337&goto=http%3A%2F%2Fevilaltinn.localhost%2F",
            302,
            Some(format!("http://{host}/")),
        ),
        (
            "a script",
            "UserSelect=1337&goto=javascript%3Aalert(1)",
            302,
            Some(format!("http://{host}/")),
        ),
        ("another's party", "UserSelect=1337.512345", 400, None),
        ("nobody", "UserSelect=7.7", 400, None),
        ("no level", "UserSelect=1337&AuthenticationLevel=9", 400, None),
        ("nothing", "", 400, None),
        ("in place", "UserSelect=1337&action=reauthenticate", 204, None),
    ] {
        let answer = log_in(body.to_owned()).send().await.unwrap();
        let found = answer.headers().get("location").map(|url| url.to_str().unwrap().to_owned());
        assert_eq!((answer.status().as_u16(), found), (status, location), "{what}");
    }
    let foreign = log_in(body).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    let out = get("/authentication/api/v1/logout".to_owned()).send().await.unwrap();
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn edits_take_effect_at_once() {
    let world = World::new(false).await;
    assert_eq!(world.get("/Home/GetTestUserToken/4242", "").await.0, 404);
    std::fs::create_dir_all(world.path("apps/ttd/demo")).unwrap();
    let people = json!({ "persons": [{ "partyId": 504_242, "userId": 4242, "ssn": "01010112345", "firstName": "Ny", "lastName": "Person", "partyRoles": { "504242": [{ "Type": "altinn", "Value": "PRIV" }] } }] });
    std::fs::write(world.path("apps/ttd/demo/testData.json"), people.to_string()).unwrap();
    assert_eq!(world.get("/Home/GetTestUserToken/4242", "").await.0, 200);
    let decision = async || {
        let asked = json!({ "Request": {
            "AccessSubject": [{ "Attribute": [{ "AttributeId": "urn:altinn:userid", "Value": "4242" }] }],
            "Action": [{ "Attribute": [{ "AttributeId": "urn:oasis:names:tc:xacml:1.0:action:action-id", "Value": "read" }] }],
            "Resource": [{ "Attribute": [{ "AttributeId": "urn:altinn:resource", "Value": "app_ttd_demo" }, { "AttributeId": "urn:altinn:partyid", "Value": "504242" }] }],
        } });
        world.post("/authorization/api/v1/decision", "", asked).await.1["response"][0]["decision"]
            .clone()
    };
    assert_eq!(decision().await, "Indeterminate");
    let policy = std::fs::read_to_string(world::policies().join("form.xml")).unwrap();
    std::fs::write(world.path("apps/ttd/demo/policy.xml"), &policy).unwrap();
    assert_eq!(decision().await, "Permit");
    assert_eq!(
        world.json("/authorization/api/v1/policies/roleswithaccess/ttd/demo", "").await,
        json!(["DAGL", "PRIV", "REGNA"])
    );
    std::fs::write(world.path("apps/ttd/demo/policy.xml"), policy.replace("PRIV", "VIRP")).unwrap();
    assert_eq!(decision().await, "NotApplicable");
    std::fs::write(world.path("apps/ttd/demo/policy.xml"), "<broken").unwrap();
    assert_eq!(decision().await, "Indeterminate");
}

/// Where an instance stands, Storage tells.
#[tokio::test]
async fn an_instance_is_looked_up() {
    const TOLD: &str = "7f1c2d3e-0000-4000-8000-000000000001";
    const AWAY: &str = "7f1c2d3e-0000-4000-8000-000000000003";
    async fn authinfo(
        Path((party, guid)): Path<(String, String)>,
        headers: axum::http::HeaderMap,
    ) -> Result<Json<Value>, altinn_services::kit::fault::Fault> {
        assert_eq!(party, "500000");
        assert!(headers.contains_key("PlatformAccessToken"));
        if guid == AWAY {
            return Err(altinn_services::kit::fault::Fault::unavailable("its database", "away"));
        }
        if guid != TOLD {
            return Err(altinn_services::kit::fault::Fault::not_found());
        }
        Ok(Json(
            json!({ "appId": "ttd/signing", "process": { "currentTask": { "elementId": "Task_2" } } }),
        ))
    }
    let storage = Peer::inside();
    let endpoint = Endpoint::get("/storage/api/v1/instances/{party}/{guid}/process/authinfo", "");
    storage.join(&Front::new(Api::new("storage").add(endpoint, authinfo).finish(())));
    let world = World::with(false, Some(storage)).await;
    let policy = std::fs::read_to_string(world::policies().join("signing.xml")).unwrap();
    assert_eq!(world.upload("signing", &policy).await.0, 200);
    for (guid, action, decision) in [
        (TOLD, "sign", "Permit"),
        (TOLD, "write", "NotApplicable"),
        ("7f1c2d3e-0000-4000-8000-000000000002", "sign", "Indeterminate"),
        ("../../x", "sign", "Indeterminate"),
        // Nobody may take for a refusal what is not known at the moment.
        (AWAY, "sign", "none"),
    ] {
        let asked = json!({ "Request": {
            "AccessSubject": [{ "Attribute": [{ "AttributeId": "urn:altinn:userid", "Value": "1337" }] }],
            "Action": [{ "Attribute": [{ "AttributeId": "urn:oasis:names:tc:xacml:1.0:action:action-id", "Value": action }] }],
            "Resource": [{ "Attribute": [{ "AttributeId": "urn:altinn:instance-id", "Value": format!("500000/{guid}") }] }],
        } });
        let (status, answer) = world.post("/authorization/api/v1/decision", "", asked).await;
        assert_eq!(status, if guid == AWAY { 503 } else { 200 }, "{guid}: {answer}");
        let decision_told = answer["response"][0]["decision"].as_str().unwrap_or("none");
        assert_eq!(decision_told, decision, "{guid} {action}: {answer}");
    }
}

#[tokio::test]
async fn the_management_surface_is_for_the_key() {
    let world = World::new(true).await;
    let tokens = format!("{}/platform/local/tokens", world.base);
    let people = format!("{}/platform/local/apps/ttd/demo/testData", world.base);
    let claims = json!({ "urn:altinn:app": "studio.designer" });
    for wrong in ["", "a key of managemen", "a key of management2"] {
        let refused = world.client.post(&tokens).bearer_auth(wrong).json(&claims).send().await;
        assert_eq!(refused.unwrap().status(), 401, "{wrong}");
        let refused = world.client.put(&people).bearer_auth(wrong).body("{}").send().await;
        assert_eq!(refused.unwrap().status(), 401, "{wrong}");
    }
    let answer = world.client.post(&tokens).bearer_auth(KEY_OF_THE_STACK).json(&claims).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    let token = world::claims(&answer.text().await.unwrap());
    assert_eq!(token["urn:altinn:app"], "studio.designer");
    assert!(token["exp"].as_i64().unwrap() > jwt::now());

    let put = |text: &str| {
        let request = world.client.put(&people).bearer_auth(KEY_OF_THE_STACK);
        request.body(text.to_owned()).send()
    };
    let person = json!({ "persons": [{ "partyId": 777_001, "userId": 7701, "firstName": "Ny",
        "lastName": "Person", "ssn": "01017512345" }] });
    assert_eq!(put(&person.to_string()).await.unwrap().status(), 204);
    assert_eq!(world.get("/Home/GetTestUserToken/7701", "").await.0, 200);
    // What cannot be read leaves what was there.
    assert_eq!(put("{\"persons\": 1}").await.unwrap().status(), 400);
    assert_eq!(world.get("/Home/GetTestUserToken/7701", "").await.0, 200);
    for _ in 0..2 {
        let gone = world.client.delete(&people).bearer_auth(KEY_OF_THE_STACK).send().await;
        assert_eq!(gone.unwrap().status(), 204);
    }
    assert_eq!(world.get("/Home/GetTestUserToken/7701", "").await.0, 404);
}

#[tokio::test]
async fn people_and_a_browser_that_is_logged_in() {
    let world = World::new(true).await;
    for path in ["/platform/local/people", "/platform/local/data", "/platform/local/faults"] {
        assert_eq!(world.get(path, "").await.0, 401, "{path}");
    }
    let people = world.json("/platform/local/people", KEY_OF_THE_STACK).await;
    let sophie =
        people["persons"].as_array().unwrap().iter().find(|one| one["userId"] == 1337).unwrap();
    assert_eq!((&sophie["partyId"], &sophie["ssn"]), (&json!(501_337), &json!("01039012345")));
    let acts = sophie["parties"].as_array().unwrap();
    assert!(acts.iter().any(|party| party["partyId"] == 500_001 && party["orgNumber"].is_string()));
    assert!(acts.iter().any(|party| party["roles"].as_array().unwrap().contains(&json!("DAGL"))));

    let page = "/Home/Enter";
    let (status, text) = world.get(page, "").await;
    assert!(status == 200 && text.contains("action=\"/Home/Enter\""));
    let login = "/platform/local/login";
    let wanted = json!({ "userId": 1337, "partyId": 500_001, "level": 3 });
    assert_eq!(world.post(login, "", wanted.clone()).await.0, 401);
    for wrong in [
        json!({ "userId": 1 }),
        json!({ "userId": 1337, "partyId": 1 }),
        json!({ "userId": 1337, "level": 5 }),
    ] {
        assert_eq!(world.post(login, KEY_OF_THE_STACK, wrong).await.0, 400);
    }
    let answer = world.post(login, KEY_OF_THE_STACK, wanted).await.1;
    let (at, code) = answer["url"].as_str().unwrap().split_once("#code=").unwrap();
    assert_eq!(at, format!("{}{page}", world.base));
    let enter = |code: String, site: &'static str| {
        let request = world.client.post(format!("{}{page}", world.base));
        request.header("sec-fetch-site", site).body(format!("code={code}")).send()
    };
    assert_eq!(enter(code.to_owned(), "cross-site").await.unwrap().status(), 403);
    assert_eq!(enter("x".to_owned(), "same-origin").await.unwrap().status(), 400);
    let entered = enter(code.to_owned(), "same-origin").await.unwrap();
    assert_eq!(entered.status(), 302);
    let cookies: Vec<&str> =
        entered.headers().get_all("set-cookie").iter().map(|one| one.to_str().unwrap()).collect();
    assert!(
        cookies[0].starts_with("AltinnStudioRuntime=")
            && cookies[1].starts_with("AltinnPartyId=500001")
    );
    let token = cookies[0]["AltinnStudioRuntime=".len()..].split(';').next().unwrap();
    assert_eq!(claims(token)["urn:altinn:authlevel"], 3);
    assert_eq!(enter(code.to_owned(), "same-origin").await.unwrap().status(), 400, "only once");
}

#[tokio::test]
async fn what_the_platform_keeps_there_and_back() {
    let world = World::new(true).await;
    let policy = std::fs::read_to_string(world::policies().join("form.xml")).unwrap();
    assert!(world.upload("kept", &policy).await.0 < 300);
    let settings = json!({ "language": "en" });
    let put =
        world.client.put(format!("{}/profile/api/v1/users/current/profilesettings", world.base));
    let put = put.bearer_auth(world.user(1337).await).json(&settings).send().await.unwrap();
    assert_eq!(put.status(), 200);
    let data = "/platform/local/data";
    let kept = world.json(data, KEY_OF_THE_STACK).await;
    assert_eq!(kept, json!({ "policies": 1, "people": 0, "profiles": 1 }));
    let get =
        world.client.get(format!("{}{data}/export", world.base)).bearer_auth(KEY_OF_THE_STACK);
    let archive = get.send().await.unwrap().bytes().await.unwrap();
    assert!(!String::from_utf8_lossy(&archive).contains("PRIVATE"), "keys stay");
    let gone = world.client.delete(format!("{}{data}", world.base)).bearer_auth(KEY_OF_THE_STACK);
    let gone: Value = gone.send().await.unwrap().json().await.unwrap();
    assert_eq!(gone["profiles"], 1);
    assert!(world.path("apps/ttd/kept/policy.xml").exists(), "deployed apps stay");
    std::fs::remove_dir_all(world.path("apps")).unwrap();
    let import = async |bytes: Vec<u8>| {
        let post = world.client.post(format!("{}{data}/import", world.base));
        let answer = post.bearer_auth(KEY_OF_THE_STACK).body(bytes).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let text = String::from_utf8(archive.to_vec()).unwrap();
    for (old, new) in [
        ("apps/ttd/kept/policy.xml", "keys/ttd/kept/policy.xml"),
        ("<xacml:Policy", "<xacml:Polizy"),
        ("\"language", "\"languag\\"),
    ] {
        assert!(text.contains(old), "{old}");
        let (status, told) = import(text.replacen(old, new, 1).into_bytes()).await;
        assert!(
            status == 400 && told.contains("documents/000001.ndjson"),
            "{old}: {status} {told}"
        );
        assert!(!world.path("apps").exists() && !world.path("profile/1337.json").exists());
    }
    assert_eq!(import(archive.to_vec()).await.0, 200);
    assert_eq!(world.json(data, KEY_OF_THE_STACK).await, kept);
    let profile = world.json("/profile/api/v1/users/current", &world.user(1337).await).await;
    assert_eq!(profile["profileSettingPreference"]["language"], "en");
}
