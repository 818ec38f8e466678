//! Each mistake is shown with its place and with what to do; all of them at once; none with a secret.

use insta::assert_snapshot;

use super::Written;

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let written = Written::new(
        r#"[server]
listne = "127.0.0.1:1"
database = 5
public_url = "https://example.org/a b/"

[polling]
hot = "soon"
[polling.delays]
stale = "0s"
stall = "1s"

[[registry]]
host = "ghcr.io"
usrname = "robot"
password = "hunter2"
concurrency = 100
plain_http = "yes"

[[registry]]
name = "mirror"
url = "ftp://mirror.example/"

[[registry]]
host = "not a host"
repositories = ["[broken"]

[[registry]]
host = "quay.io"
name = "mirror"
username = "robot"
repositories = ["team/*"]
ca_file = "/nowhere/ca.pem"

[[watch]]
repository = "UPPER/case"
[[watch]]
repository = "quay.io/other/api"
group = "shpo"
[[watch]]
repository = "nginx"
[[watch]]
repository = "docker.io/library/nginx"

[[group]]
name = "shop"
repositories = ["ghcr.io/acme/{a", "Acme"]

[[policy]]
tag = "[broken"
class = "relase"
[[policy]]
tag = "[broken"
class = "release"

[watch_also]
repository = "x"
"#,
    );
    assert_snapshot!(written.shown());
}

#[test]
fn a_table_where_a_list_belongs() {
    assert_snapshot!(Written::new("[registry]\nhost = \"ghcr.io\"\n[[server]]\nlisten = \"127.0.0.1:1\"\n").shown());
}

/// The secrets of the following files; none may be seen.
fn assert_hidden(written: &Written) -> String {
    let error = written.load().err().expect("it is wrong");
    let shown = written.shown();
    assert!(!format!("{shown}{error:?}").contains("hunter2"), "{shown}");
    shown
}

#[test]
fn secrets_beside_a_mistake_are_not_shown() {
    let files = [
        "[[registry]]\nhost = \"ghcr.io\"\npasswrod = \"hunter2\"\n",
        "registry = [{ host = \"ghcr.io\", username = \"robot\", password = \"hunter2\", plain_htpp = true }]\n",
        "registry = [{ hots = \"ghcr.io\", password = \"hunter2\" }, 5]\n",
        "[[registry]]\nhost = \"ghcr.io\"\nurl = \"https://robot:hunter2@ghcr.io/\"\n",
        "[[registry]]\nhost = \"https://robot:hunter2@ghcr.io/\"\n",
        "[[registry]]\nhost = \"ghcr.io\"\nurl = \"://robot:hunter2@ghcr.io/\"\n",
        "[server]\npublic_url = \"https://robot:hunter2@example.org/\"\n",
        "[server]\ndatabase = \"postgres:tagwarden:hunter2@127.0.0.1/tagwarden\"\n",
        "[server]\ndatabase = [\"hunter2\"]\n",
        "[server.password]\nhunter2 = \"hunter2\"\n",
    ];
    let shown: Vec<String> = files[..9].iter().map(|file| assert_hidden(&Written::new(file))).collect();
    assert_snapshot!(shown.join("\n\n"));
    // A key is no secret.
    assert!(Written::new(files[9]).shown().contains("`password` is no key of [server]"));
}

#[test]
fn wrong_syntax_stands_alone_and_shows_no_secret() {
    let files = [
        "[server]\nlisten = 127.0.0.1:1\n",
        "[[registry]]\npassword = \"hunter2\n",
        "[[registry]]\npassword = hunter2\n",
        "[[registry]]\npassword = \"\"\"\nhunter2\n",
        "registry = [{ host = \"ghcr.io\", password = \"hunter2\" plain_http = true }]\n",
        "[[registry]]\nhost = \"ghcr.io\", password = \"hunter2\"\n",
        "[[registry]]\nhost = \"ghcr.io\"\nusername = \"robot\"; password=\"hunter2\"\n",
        "[server\nlisten = \"127.0.0.1:1\"\n",
        "[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n",
    ];
    let shown: Vec<String> = files.iter().map(|file| assert_hidden(&Written::new(file))).collect();
    assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn a_file_that_is_not_there() {
    let error = tagwarden::config::Sources::of_file("/nowhere/tagwarden.toml").load().err().unwrap().to_string();
    assert_eq!(
        error,
        "/nowhere/tagwarden.toml has a mistake\n\nerror: it cannot be read: No such file or directory (os error 2)"
    );
}

#[test]
fn keys_that_need_each_other_are_not_missed_where_one_is_mistyped() {
    let text = "[[registry]]\nhost = \"ghcr.io\"\nusername = \"robot\"\npasword_file = \"/nowhere\"\n";
    let error = Written::new(text).load().err().unwrap();
    assert_eq!(error.mistakes.len(), 1, "{error}");
    assert_eq!((error.mistakes[0].at, &*error.mistakes[0].advice), (Some((4, 1)), "did you mean `password_file`?"));
}

#[test]
fn letters_of_several_bytes_are_counted_as_one() {
    let error = Written::new("[[watch]]\nrepository = \"nginx\" # für später\r\n[[watch]]\n\"schlüßel\" = 1\n");
    assert_snapshot!(error.shown());
}

#[test]
fn names_of_groups_can_be_seen_and_a_site_ends_with_its_path() {
    let group = |name: &str| format!("[[group]]\nname = \"{name}\"\n");
    let names = ["x".repeat(65), " ".to_owned(), "\\u202eshop".to_owned(), "\\u001b[31m".to_owned()];
    let groups = names.map(|name| group(&name)).join("");
    let text = format!("{groups}{}[server]\npublic_url = 'https://h.example/a?x=1#y'\n", group("Läden und mehr"));
    let mistakes = Written::new(&text).load().err().unwrap().mistakes;
    let at: Vec<_> = mistakes.iter().map(|mistake| mistake.at).collect();
    assert_eq!(at, [2, 4, 6, 8].map(|line| Some((line, 8))).into_iter().chain([Some((12, 14))]).collect::<Vec<_>>());
    assert!(mistakes[..4].iter().all(|mistake| mistake.message.starts_with("a group's name has 1 to 64")));
}

#[test]
fn a_file_of_another_kind_is_not_quoted_whole() {
    let text: String = (0..5_000).map(|number| format!("key{number} = 1\n")).collect::<Vec<_>>().concat();
    let mistakes = Written::new(&text).load().err().unwrap().mistakes;
    assert_eq!((mistakes.len(), mistakes[100].message.as_str()), (101, "and 4900 more mistakes"));
}

#[test]
fn what_lowers_no_severity() {
    let rules = [
        "tag = 'a'\nclass = 'rolling'\nseverity = 'info'",
        "tag = 'b'\nclass = 'ignored'\nretention = true",
        "tag = 'c'\nclass = 'rebuilt'\nseverity = 'warning'\nretention = true",
        "tag = 'd'\nclass = 'release'\nseverity = 'critical'\nretention = 'yes'",
        "tag = 'e'\nclass = 'release'\nseverity = 'info'\nretention = true",
        "tag = 'f'\nclass = 'rolling'\nretention = false",
    ];
    let file = rules.map(|rule| format!("[[policy]]\n{rule}\n")).concat();
    assert_snapshot!(Written::new(&file).shown());
}
