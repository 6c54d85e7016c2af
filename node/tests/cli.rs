//! The command line as its users meet it: the program is run, and what it prints and how it exits is pinned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clap::CommandFactory as _;
use syndic_node::cli::CommandLine;
use syndic_node::config::{Config, Http, Issue, Organization, Peer, Store, Trust, Verifiers};
use syndic_node::instances;
use syndic_node::outside::Settings;

const PASSPHRASE: &str = "correct horse battery staple";

fn syndic(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syndic"));
    command.args(arguments).stdin(Stdio::null());
    for name in [
        "SYNDIC_DATA",
        "SYNDIC_PASSPHRASE",
        "SYNDIC_PASSPHRASE_FILE",
        "SYNDIC_LOG",
        "COLUMNS",
    ] {
        command.env_remove(name);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    syndic(arguments).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[track_caller]
fn assert_exit(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}\n{}",
        stdout(output),
        stderr(output)
    );
}

/// A data folder of a node that does not run: nothing listens on its admin port.
fn folder_of_a_stopped_node(folder: &Path) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    folder_of_a_node_at(folder, &free.to_string());
}

fn folder_of_a_node_at(folder: &Path, admin: &str) {
    let config = Config {
        organization: Organization {
            name: "St. Mary".to_owned(),
        },
        http: Http {
            public: "127.0.0.1:1".to_owned(),
            admin: admin.to_owned(),
            public_url: "http://127.0.0.1:1".to_owned(),
            allowed_hosts: vec![],
            requests_per_second: 50,
        },
        node: syndic_node::config::Node::default(),
        peer: Peer {
            follow: vec![],
            listen: "/ip4/127.0.0.1/tcp/1".to_owned(),
            advertise: vec![],
        },
        store: Store::default(),
        trust: Trust::default(),
        outside: Settings::default(),
        verifiers: Verifiers::default(),
        issue: Issue::default(),
        tokens: syndic_node::tokens::Settings::default(),
        instances: instances::defaults(),
    };
    std::fs::write(folder.join("config.toml"), config.to_toml().unwrap()).unwrap();
    std::fs::write(folder.join("admin.token"), "token\n").unwrap();
}

/// A listener that gives each caller the next of some answers, and returns what was asked.
fn answering(answers: Vec<(&'static str, String)>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = std::thread::spawn(move || {
        answers
            .into_iter()
            .map(|(status, body)| answer(&listener, status, &body))
            .collect()
    });
    (address, served)
}

fn answer(listener: &TcpListener, status: &str, body: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).unwrap();
        request.extend(&piece[..read]);
        let text = String::from_utf8_lossy(&request);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        if text.contains("\r\n\r\n") && body.len() >= length {
            break;
        }
    }
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}");
    stream
        .write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes())
        .unwrap();
    String::from_utf8(request).unwrap()
}

#[test]
fn the_first_screen() {
    let output = run(&["--help"]);
    assert_exit(&output, 0);
    assert_eq!(stdout(&output), include_str!("cli/help.txt"));
}

#[test]
fn the_help_of_a_succession() {
    let output = run(&["agent", "succeed", "--help"]);
    assert_exit(&output, 0);
    assert_eq!(stdout(&output), include_str!("cli/agent-succeed.txt"));
}

#[test]
fn nothing_typed_is_wrong_usage_and_shows_the_help() {
    let output = run(&[]);
    assert_exit(&output, 2);
    assert!(stderr(&output).contains("Exit codes:"));
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let mut paths = Vec::new();
    collect(&CommandLine::command(), &mut Vec::new(), &mut paths);
    assert!(paths.len() >= 29, "{paths:?}");
    for path in paths {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let output = run(&arguments);
        assert_exit(&output, 0);
        let help = stdout(&output);
        assert!(help.contains("\nExample"), "{path:?} has no example:\n{help}");
        let shown = format!("syndic {}", path.join(" "));
        let examples = help.split("\nExample").nth(1).unwrap();
        assert!(
            examples.contains(shown.trim_end()),
            "the example of {path:?} is not about it:\n{examples}"
        );
        let longest = help.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= 150, "{path:?}: a line of {longest} characters");
    }
}

fn collect(command: &clap::Command, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    paths.push(path.clone());
    for inner in command.get_subcommands() {
        path.push(inner.get_name().to_owned());
        collect(inner, path, paths);
        path.pop();
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [
        vec!["--colour"],
        vec!["fly"],
        vec!["status", "--verbose"],
        vec!["agent"],
        vec!["agent", "create", "--name", "a"],
        vec![
            "credential",
            "issue",
            "--agent",
            "a",
            "--capabilities",
            "f",
            "--valid-for",
            "soon",
        ],
        vec![
            "credential",
            "issue",
            "--agent",
            "a",
            "--capabilities",
            "f",
            "--valid-from",
            "2026-01-01T00:00:00Z",
        ],
        vec!["present", "--agent", "a", "--credential", "urn:uuid:1"],
        vec![
            "present",
            "--agent",
            "a",
            "--credential",
            "urn:uuid:1",
            "--challenge",
            "c",
        ],
        vec!["action", "sign", "--parameter", "amount"],
        vec!["registry", "withdraw", "--action", "a", "--resource", "r"],
        vec![
            "registry",
            "withdraw",
            "--action",
            "a",
            "--resource",
            "r",
            "--entity",
            "e",
            "--authority",
            "b",
        ],
        vec!["found", "--name", "c"],
    ] {
        let output = run(&arguments);
        assert_exit(&output, 2);
        assert!(stdout(&output).is_empty(), "{arguments:?}");
        assert!(
            stderr(&output).starts_with("error: ") || stderr(&output).contains("Usage:"),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_node_that_does_not_run_is_exit_code_5_and_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    folder_of_a_stopped_node(folder.path());
    let data = folder.path().to_str().unwrap();
    for arguments in [
        vec!["status"],
        vec!["agent", "list"],
        vec!["agent", "create", "--name", "a", "--owner", "did:web:a.example"],
        vec!["credential", "list"],
        vec!["credential", "revoke", "urn:uuid:1"],
        vec!["registry", "members"],
        vec!["resolve", "did:key:z6Mk"],
        vec![
            "present",
            "--agent",
            "a",
            "--credential",
            "urn:uuid:1",
            "--challenge",
            "c",
            "--domain",
            "d",
        ],
    ] {
        let output = run(&[&arguments[..], &["--data", data]].concat());
        assert_exit(&output, 5);
        let message = stderr(&output);
        assert!(message.contains("nothing listens there"), "{message}");
        assert!(
            message.contains(&format!("start it with: syndic run --data {data}")),
            "{message}"
        );
    }
}

#[test]
fn with_json_even_a_failure_is_one_document() {
    let folder = tempfile::tempdir().unwrap();
    folder_of_a_stopped_node(folder.path());
    let output = run(&["status", "--json", "--data", folder.path().to_str().unwrap()]);
    assert_exit(&output, 5);
    let document = syndic_vc::json::parse(output.stdout.trim_ascii()).unwrap();
    let error = document.get("error").unwrap();
    assert_eq!(error.get("code").unwrap().as_str(), Some("unreachable"));
    assert!(error.get("advice").unwrap().as_str().unwrap().contains("syndic run"));
}

#[test]
fn another_node_that_is_not_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(&["resolve", "did:key:z6Mk", "--node", &format!("http://{free}")]);
    assert_exit(&output, 5);
    assert!(stderr(&output).contains("is that node running"), "{}", stderr(&output));
    let output = run(&["resolve", "did:key:z6Mk", "--node", "127.0.0.1:8440"]);
    assert_exit(&output, 2);
    assert!(
        stderr(&output).contains("it must begin with http:// or https://"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_folder_that_is_no_node() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["status", "--data", folder.path().to_str().unwrap()]);
    assert_exit(&output, 1);
    assert!(stderr(&output).contains("syndic init"), "{}", stderr(&output));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    folder_of_a_stopped_node(folder.path());
    let data = folder.path().to_str().unwrap();
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, r#"{"a":1,"a":2}"#).unwrap();
    let wrong = folder.path().join("wrong.json");
    std::fs::write(&wrong, r#"{"capability":[{}],"limits":[]}"#).unwrap();
    let issue = ["credential", "issue", "--agent", "a", "--data", data, "--capabilities"];
    for (file, what) in [(&broken, "is not valid JSON"), (&wrong, "unknown member \"limits\"")] {
        let file = file.to_str().unwrap();
        let output = run(&[&issue[..], &[file]].concat());
        assert_exit(&output, 1);
        assert!(
            stderr(&output).contains(what) && stderr(&output).contains(file),
            "{}",
            stderr(&output)
        );
    }
    let output = run(&["credential", "verify", "no-such-file.json", "--data", data]);
    assert_exit(&output, 1);
    assert!(stderr(&output).contains("no-such-file.json"), "{}", stderr(&output));
}

#[test]
fn a_decision_is_an_exit_code_and_reasons_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("action.json");
    std::fs::write(&file, r#"{"action":{},"credential":{}}"#).unwrap();
    let decision = |verified: bool, decision: &str, reasons: &str| {
        format!(
            r#"{{"verified":{verified},"title":"t","decision":{{"decision":"{decision}","subject":"did:key:z6Mk",
            "owner":{{"id":"did:web:a.example","name":"Dana Reyes"}},"reasons":[{reasons}],
            "asOf":[{{"issuer":"did:key:z6Mi","head":7,"time":"2026-01-02T03:04:05Z","witnessed":{{"by":1,"of":2,"size":7,"time":null}}}}]}}}}"#
        )
    };
    let reason = r#"{"code":"value-out-of-range","message":"amount is too much","at":"/action/parameters/amount"}"#;
    for (status, body, code, text) in [
        (
            "200 OK",
            decision(true, "allow", ""),
            0,
            include_str!("cli/allowed.txt"),
        ),
        (
            "400 Bad Request",
            decision(false, "deny", reason),
            3,
            include_str!("cli/denied.txt"),
        ),
        (
            "400 Bad Request",
            decision(
                false,
                "approvalRequired",
                r#"{"code":"approval-required","message":"ask Dana Reyes","at":"/x"}"#,
            ),
            4,
            include_str!("cli/approval.txt"),
        ),
    ] {
        let (address, served) = answering(vec![(status, body)]);
        let node = format!("http://{address}");
        let output = run(&["action", "verify", file.to_str().unwrap(), "--node", &node]);
        assert_exit(&output, code);
        assert_eq!(stdout(&output), text);
        let requests = served.join().unwrap();
        assert!(requests[0].starts_with("POST /actions/verify HTTP/1.1"), "{requests:?}");
        assert!(
            !requests[0].to_lowercase().contains("authorization"),
            "the token is for one's own node only"
        );
    }
}

#[test]
fn lists_are_tables() {
    let agents = r#"{"agents":[
        {"did":"did:key:z1","name":"CustomerSupportAgent-v2.3","owner":{"id":"did:web:a.example","name":"Dana Reyes"},
         "created":"2026-01-01T00:00:00Z","retired":null,"keyHeldBy":"node"},
        {"did":"did:key:z2","name":"Old\u001b[2J","owner":{"id":"did:web:b.example"},
         "created":"2026-01-01T00:00:00Z","retired":"2026-02-01T00:00:00Z","keyHeldBy":"agent"}]}"#;
    let (address, served) = answering(vec![("200 OK", agents.to_owned()), ("200 OK", agents.to_owned())]);
    let folder = tempfile::tempdir().unwrap();
    folder_of_a_node_at(folder.path(), &address);
    let data = folder.path().to_str().unwrap();
    let people = run(&["agent", "list", "--data", data]);
    assert_exit(&people, 0);
    assert_eq!(stdout(&people), include_str!("cli/agents.txt"));
    let program = run(&["agent", "list", "--json", "--data", data]);
    let document = syndic_vc::json::parse(program.stdout.trim_ascii()).unwrap();
    assert_eq!(document, syndic_vc::json::parse(agents.as_bytes()).unwrap());
    let requests = served.join().unwrap();
    assert!(
        requests[0].to_lowercase().contains("authorization: bearer token\r\n"),
        "{requests:?}"
    );
}

#[test]
fn a_refusal_of_the_node_is_shown_in_its_words() {
    let problem = r#"{"type":"about:blank","title":"Not found","status":404,"detail":"no agent \"x\" here"}"#;
    let (address, served) = answering(vec![("404 Not Found", problem.to_owned())]);
    let folder = tempfile::tempdir().unwrap();
    folder_of_a_node_at(folder.path(), &address);
    let output = run(&[
        "agent",
        "show",
        "x/y",
        "--json",
        "--data",
        folder.path().to_str().unwrap(),
    ]);
    assert_exit(&output, 1);
    assert_eq!(stderr(&output), "syndic: no agent \"x\" here\n");
    let document = syndic_vc::json::parse(output.stdout.trim_ascii()).unwrap();
    let shown = document.get("error").unwrap().get("problem").unwrap();
    assert_eq!(shown, &syndic_vc::json::parse(problem.as_bytes()).unwrap());
    assert!(served.join().unwrap()[0].starts_with("GET /agents/x%2Fy HTTP/1.1"));
}

#[test]
fn from_nothing_to_a_charter() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let init = |data: &str, name: &str| {
        syndic(&["init", "--name", name, "--data", data])
            .env("SYNDIC_PASSPHRASE", PASSPHRASE)
            .output()
            .unwrap()
    };
    let made = init(&at("mary"), "St. Mary");
    assert_exit(&made, 0);
    assert!(
        stdout(&made).starts_with(&format!("St. Mary has a node in {}\n", at("mary"))),
        "{}",
        stdout(&made)
    );
    assert_exit(&init(&at("lake"), "Lakeside"), 0);
    let again = init(&at("mary"), "St. Mary");
    assert_exit(&again, 1);
    assert!(stderr(&again).contains("holds a node already"), "{}", stderr(&again));

    let (card, charter) = (at("lake/member.json"), at("charter.json"));
    let found = [
        "found",
        "--name",
        "Two",
        "--data",
        &at("mary"),
        "--member",
        &card,
        "--out",
        &charter,
        "--json",
    ];
    let founded = run(&found);
    assert_exit(&founded, 0);
    let id = syndic_vc::json::parse(founded.stdout.trim_ascii()).unwrap();
    let id = id.get("consortiumId").unwrap().as_str().unwrap().to_owned();
    let joined = run(&["join", &charter, "--data", &at("lake")]);
    assert_exit(&joined, 0);
    let expected = format!(
        "joined Two with 2 members\nconsortium  {id}\nnext: syndic run --data {}\n",
        at("lake")
    );
    assert_eq!(stdout(&joined), expected);

    let wrong = syndic(&["run", "--data", &at("lake")])
        .env("SYNDIC_PASSPHRASE", "wrong horse")
        .output()
        .unwrap();
    assert_exit(&wrong, 1);
    assert!(stderr(&wrong).contains("passphrase"), "{}", stderr(&wrong));
}

#[test]
fn keys_need_a_passphrase_and_it_is_never_an_argument() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let output = run(&["init", "--name", "a", "--data", data.to_str().unwrap()]);
    assert_exit(&output, 1);
    assert!(stderr(&output).contains("--passphrase-file"), "{}", stderr(&output));
    assert!(!data.exists(), "nothing is made before there is a passphrase");
    assert_exit(&run(&["init", "--name", "a", "--passphrase", "x"]), 2);
}

#[test]
fn completions_know_the_commands() {
    let output = run(&["completions", "bash"]);
    assert_exit(&output, 0);
    assert!(stdout(&output).contains("credential") && stdout(&output).contains("complete -F"));
}
