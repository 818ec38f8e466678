//! The command line goes before variables, these before the file, the file before the defaults.

use std::fs;

use insta::assert_snapshot;
use tagwarden::config::{Checked, Sources, schema};
use tagwarden::registry::credentials::Credential;
use tagwarden_model::event::Severity;
use tagwarden_model::flag::Lowering;
use tagwarden_model::instant::Millis;
use tagwarden_model::record::Plan;
use tagwarden_model::tag::{Band, Class};

use super::Written;

/// User name and password of a registry entry.
pub fn credentials(checked: &Checked, at: usize) -> Option<(String, String)> {
    let settings = &checked.registries[at].settings;
    let name = format!("{}/x", settings.host).parse().unwrap();
    match settings.credentials.find(&name)? {
        (_, Credential::Basic { username, password }) => Some((username.clone(), password.expose().to_owned())),
        (_, other) => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_file_is_a_configuration() {
    let checked = Written::new("").load().unwrap();
    assert_eq!(checked.plan, Plan::default());
    assert_eq!(checked.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(checked.server.database.expose(), "tagwarden.db");
    assert_eq!((checked.registries.len(), checked.watches.len(), checked.groups.len()), (0, 0, 0));
}

#[test]
fn every_part_of_a_file_is_read() {
    let checked = Written::new(
        r#"
        [server]
        public_url = "https://example.org/tagwarden"
        [polling]
        hot = "2s"
        lease = "1m"
        [polling.delays]
        stale = "1m 30s"
        [[registry]]
        host = "GHCR.io"
        repositories = ["acme/**"]
        requests_per_second = 2
        concurrency = 3
        [[registry]]
        name = "ghcr rest"
        host = "ghcr.io"
        [[watch]]
        repository = "nginx"
        group = "web"
        [[watch]]
        repository = "ghcr.io/acme/api"
        [[group]]
        name = "web"
        description = "what the world sees"
        repositories = ["ghcr.io/acme/**", "httpd"]
        [[policy]]
        repository = "nginx"
        tag = "stable-*"
        class = "release"
        severity = "warning"
        retention = true
        "#,
    );
    let checked = checked.load().unwrap();
    assert_eq!(checked.server.base_path, "/tagwarden/");
    assert_eq!(checked.plan.interval(Band::Hot), Millis::seconds(2));
    assert_eq!((checked.plan.delays.stale, checked.lease), (Millis::seconds(90), Some(Millis::minutes(1))));
    let [first, second] = checked.registries.as_slice() else { panic!() };
    assert_eq!((first.name.as_str(), first.settings.host.as_str()), ("GHCR.io", "ghcr.io"));
    assert_eq!((first.settings.limits.concurrency, first.settings.limits.requests_per_second), (3, Some(2.0)));
    assert_eq!((second.name.as_str(), second.repositories.len()), ("ghcr rest", 0));
    let watches: Vec<_> = checked.watches.iter().map(|watch| (watch.name.to_string(), watch.line)).collect();
    assert_eq!(watches, [("docker.io/library/nginx".to_owned(), 18), ("ghcr.io/acme/api".to_owned(), 21)]);
    let [group] = checked.groups.as_slice() else { panic!() };
    assert_eq!(group.description, "what the world sees");
    assert_eq!(group.members, ["ghcr.io/acme/**", "docker.io/library/httpd", "docker.io/library/nginx"]);
    let ruling = checked.policy.classify(&"nginx".parse().unwrap(), &tag("stable-x"));
    let lowering = Lowering { cap: Some(Severity::Warning), retention: true };
    assert_eq!((ruling.class, ruling.lowering), (Class::Release, lowering));
}

#[test]
fn a_group_is_the_same_however_its_letters_were_typed() {
    let file = "[[watch]]\nrepository = 'nginx'\ngroup = 'Ko\u{308}ln'\n[[group]]\nname = 'K\u{f6}ln'\n";
    let checked = Written::new(file).load().unwrap();
    assert_eq!((checked.groups[0].name.as_str(), checked.groups[0].members.len()), ("K\u{f6}ln", 1));
    let twice = Written::new("[[group]]\nname = 'Ko\u{308}ln'\n[[group]]\nname = 'K\u{f6}ln'\n").shown();
    assert!(twice.contains("another [[group]] is named"), "{twice}");
}

fn tag(name: &str) -> tagwarden_model::name::TagName {
    tagwarden_model::name::TagName::new(name).unwrap()
}

#[test]
fn the_command_line_goes_before_variables_and_these_before_the_file() {
    let mut written = Written::new("[server]\nlisten = \"127.0.0.1:1\"\ndatabase = \"of-the-file\"\n")
        .variable("TAGWARDEN_SERVER_LISTEN", "127.0.0.1:2")
        .variable("TAGWARDEN_SERVER_DATABASE", "of-the-environment");
    let server = written.load().unwrap().server;
    assert_eq!((server.listen.port(), server.database.expose()), (2, "of-the-environment"));
    written.sources.options.push(("--listen", "listen", "127.0.0.1:3".to_owned()));
    written.sources.options.push(("--database", "database", "of-the-command-line".to_owned()));
    let server = written.load().unwrap().server;
    assert_eq!((server.listen.port(), server.database.expose()), (3, "of-the-command-line"));
}

#[test]
fn a_variable_is_known_for_every_key_of_the_server() {
    for key in schema()["properties"]["server"]["properties"].as_object().unwrap().keys() {
        let name = format!("TAGWARDEN_SERVER_{}", key.to_uppercase());
        let shown = Written::new("").variable(&name, "/nowhere").variable("TAGWARDEN_SERVER_X", "1").shown();
        assert!(!shown.contains(&format!("{name} is no variable")), "{shown}");
    }
}

#[test]
fn a_secret_in_a_file_takes_the_place_of_one_that_ranks_lower() {
    let text = "[server]\ndatabase = \"of-the-file\"\n[[registry]]\nhost = \"ghcr.io\"\nusername = \"robot\"\npassword = \"of-the-file\"\n";
    let written = Written::new(text).file("secret", "hunter2\r\n");
    let path = written.folder.path().join("secret").to_str().unwrap().to_owned();
    let written = written
        .variable("TAGWARDEN_SERVER_DATABASE_FILE", &path)
        .variable("TAGWARDEN_REGISTRY_GHCR_IO_PASSWORD_FILE", &path);
    let checked = written.load().unwrap();
    assert_eq!(checked.server.database.expose(), "hunter2");
    assert_eq!(credentials(&checked, 0), Some(("robot".to_owned(), "hunter2".to_owned())));
    let written = written.variable("TAGWARDEN_REGISTRY_GHCR_IO_PASSWORD", "hunter3");
    assert!(written.shown().contains("both `password` and `password_file`"), "{}", written.shown());
}

#[test]
fn credentials_of_an_entry_are_found_by_its_name() {
    let text = "[[registry]]\nhost = \"ghcr.io\"\nname = \"ghcr: Acme\"\n[[registry]]\nhost = \"127.0.0.1:5000\"\n[[registry]]\nname = \"a_password\"\nhost = \"a.example\"\n";
    let checked = Written::new(text)
        .variable("TAGWARDEN_REGISTRY_GHCR__ACME_USERNAME", "robot")
        .variable("TAGWARDEN_REGISTRY_GHCR__ACME_PASSWORD", "hunter2")
        .variable("TAGWARDEN_REGISTRY_127_0_0_1_5000_USERNAME", "other")
        .variable("TAGWARDEN_REGISTRY_127_0_0_1_5000_PASSWORD", "hunter3")
        .variable("TAGWARDEN_REGISTRY_A_PASSWORD_USERNAME", "third")
        .variable("TAGWARDEN_REGISTRY_A_PASSWORD_PASSWORD", "hunter4")
        .load()
        .unwrap();
    for (at, expected) in [("robot", "hunter2"), ("other", "hunter3"), ("third", "hunter4")].into_iter().enumerate() {
        assert_eq!(credentials(&checked, at), Some((expected.0.to_owned(), expected.1.to_owned())));
    }
}

#[test]
fn variables_that_are_wrong_are_said_with_the_rest() {
    let text = "[[registry]]\nhost = \"ghcr.io\"\n[[registry]]\nhost = \"a-b.example\"\n[[registry]]\nhost = \"a.b.example\"\nhots = 1\n";
    let written = Written::new(text)
        .variable("TAGWARDEN_SERVER_LISTEN", "8080")
        .variable("TAGWARDEN_SERVER_LISTNE", "127.0.0.1:1")
        .variable("TAGWARDEN_SEVER_LISTEN", "127.0.0.1:1")
        .variable("TAGWARDEN_LISTEN", "127.0.0.1:1")
        .variable("TAGWARDEN_REGISTRY_GCHR_IO_PASSWORD", "hunter2")
        .variable("TAGWARDEN_REGISTRY_GHCR_IO_TOKEN", "hunter2")
        .variable("TAGWARDEN_REGISTRY_A_B_EXAMPLE_PASSWORD", "hunter2")
        .variable("TAGWARDEN_SERVER_PUBLIC_URL", "https://robot:hunter2@example.org")
        .variable("TAGWARDEN_SERVER_DATABASE_FILE", "/nowhere/database");
    let shown = written.shown();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_snapshot!(shown);
}

#[test]
fn variables_of_others_are_left_alone() {
    let written = [
        "TAGWARDEN_LOG",
        "TAGWARDEN_BIN",
        "TAGWARDEN_HISTORIES",
        "TAGWARDEN_SEED",
        "TAGWARDEN_SOAK_MINUTES",
        "TAGWARDEN_TEST_POSTGRES",
        "TAGWARDEN_WITHOUT_PAGE",
        "TAGWARDEN_PORT",
        "TAGWARDEN_SERVICE_HOST",
        "TAGWARDEN_SERVER_PORT_8080_TCP_ADDR",
        "TAGWARDEN_SERVER_SERVICE_HOST",
        "TAGWARDEN_REGISTRY_PORT",
    ];
    let written = written.iter().fold(Written::new(""), |written, name| written.variable(name, "1"));
    written.load().unwrap();
}

#[test]
fn a_password_is_in_no_debug_output() {
    let text = "[server]\ndatabase = \"postgres://a:hunter2@127.0.0.1/a\"\n[[registry]]\nhost = \"ghcr.io\"\nusername = \"robot\"\npassword = \"hunter2\"\n";
    let checked = Written::new(text).load().unwrap();
    let shown = format!("{:?}{:?}", checked.server, checked.registries[0].settings.credentials);
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn credentials_of_docker_are_for_entries_without_their_own() {
    // YTpi = a:b
    let docker = r#"{"auths":{"ghcr.io":{"auth":"YTpi"}}}"#;
    let written = Written::new("[[registry]]\nhost = \"ghcr.io\"\n").file("config.json", docker);
    assert_eq!(credentials(&written.load().unwrap(), 0), Some(("a".to_owned(), "b".to_owned())));
    fs::write(written.folder.path().join("config.json"), "{").unwrap();
    assert!(written.shown().contains("wrong JSON at line 1"), "{}", written.shown());
    let sources = Sources {
        variables: vec![("TAGWARDEN_SERVER_DOCKER_CONFIG".to_owned(), "/nowhere".to_owned())],
        ..Sources::default()
    };
    let error = sources.load().err().unwrap().to_string();
    assert!(error.contains("TAGWARDEN_SERVER_DOCKER_CONFIG: /nowhere cannot be read"), "{error}");
}
