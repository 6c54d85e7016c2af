//! HTTP test files: requests and what must come back, one after another, as a person writes and reads them.
//!
//! The syntax is a part of Hurl's (<https://hurl.dev>): comments, `METHOD URL`, headers, a JSON body (or any text between
//! lines of three backticks), `HTTP status`, `[Captures]` and `[Asserts]` with `jsonpath`, `header` and `body`. One thing
//! is more than Hurl does: what is captured may be a whole document, and `{{name}}` puts it back as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// One request of a file and what must come back.
#[derive(Debug, Default)]
struct Entry {
    line: usize,
    title: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    status: u16,
    captures: Vec<(String, String)>,
    asserts: Vec<(usize, String)>,
}

/// What came back.
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    text: String,
    json: Value,
}

/// How many requests of a file were answered as they must be, and how many of them were refusals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    /// All requests.
    pub requests: usize,
    /// Those that had to be refused (4xx and above).
    pub refusals: usize,
}

/// Runs a file. `variables` are there from the beginning.
///
/// # Errors
/// The first request that was not answered as it must be: file, line, and both answers.
pub fn run(path: &Path, mut variables: BTreeMap<String, Value>) -> Result<Passed, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // A refusal may end the connection, and the next request must not be the one to find out.
        .max_idle_connections(0)
        .proxy(None)
        .allow_non_standard_methods(true)
        .build()
        .into();
    let mut passed = Passed::default();
    for entry in parse(&text).map_err(|error| format!("{}:{error}", path.display()))? {
        let outcome = send(&agent, &entry, &variables).and_then(|answer| check(&entry, &answer, &mut variables));
        outcome.map_err(|error| format!("{}:{}: {}\n{error}", path.display(), entry.line, entry.title))?;
        passed.requests += 1;
        passed.refusals += usize::from(entry.status >= 400);
    }
    Ok(passed)
}

/// Which part of an entry a line belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Request,
    Response,
    Captures,
    Asserts,
}

fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut part, mut title) = (Part::Asserts, String::new());
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line)).peekable();
    while let Some((number, line)) = lines.next() {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            comment.trim().clone_into(&mut title);
            continue;
        }
        if trimmed.is_empty() {
            continue;
        }
        if is_request(trimmed) && part != Part::Request {
            let (method, url) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
            entries.push(Entry {
                line: number,
                title: std::mem::take(&mut title),
                method: method.to_owned(),
                url: url.trim().to_owned(),
                ..Entry::default()
            });
            part = Part::Request;
            continue;
        }
        let entry = entries.last_mut().ok_or_else(|| format!("{number}: no request yet"))?;
        if let Some(status) = trimmed.strip_prefix("HTTP ") {
            entry.status = status.parse().map_err(|_| format!("{number}: no status"))?;
            part = Part::Response;
        } else if trimmed == "[Captures]" {
            part = Part::Captures;
        } else if trimmed == "[Asserts]" {
            part = Part::Asserts;
        } else if part == Part::Request && (trimmed.starts_with(['{', '[', '"']) || trimmed == "```") {
            let fenced = trimmed == "```";
            let mut body = if fenced { String::new() } else { line.to_owned() };
            while let Some((_, next)) = lines.peek() {
                let ends = if fenced {
                    next.trim() == "```"
                } else {
                    next.trim().is_empty() || next.starts_with("HTTP ")
                };
                if ends {
                    break;
                }
                if !body.is_empty() {
                    body.push('\n');
                }
                body.push_str(next);
                lines.next();
            }
            if fenced {
                lines.next();
            }
            entry.body = Some(body);
        } else if part == Part::Request {
            let (name, value) = trimmed.split_once(':').ok_or_else(|| format!("{number}: no header"))?;
            entry.headers.push((name.trim().to_owned(), value.trim().to_owned()));
        } else if part == Part::Captures {
            let (name, query) = trimmed.split_once(':').ok_or_else(|| format!("{number}: no capture"))?;
            entry.captures.push((name.trim().to_owned(), query.trim().to_owned()));
        } else {
            entry.asserts.push((number, trimmed.to_owned()));
        }
    }
    match entries.iter().find(|entry| entry.status == 0) {
        Some(entry) => Err(format!("{}: no `HTTP status` for this request", entry.line)),
        None => Ok(entries),
    }
}

fn is_request(line: &str) -> bool {
    ["GET ", "POST ", "PUT ", "DELETE ", "HEAD ", "OPTIONS ", "PATCH "]
        .iter()
        .any(|method| line.starts_with(method))
}

fn send(agent: &ureq::Agent, entry: &Entry, variables: &BTreeMap<String, Value>) -> Result<Answer, String> {
    let mut request = ureq::http::Request::builder()
        .method(entry.method.as_str())
        .uri(fill(&entry.url, variables)?);
    for (name, value) in &entry.headers {
        request = request.header(name, fill(value, variables)?);
    }
    let body = entry.body.as_deref().map(|body| fill(body, variables)).transpose()?;
    if body.is_some()
        && !entry
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        request = request.header("Content-Type", "application/json");
    }
    let sent = match body {
        Some(body) => agent.run(request.body(body).map_err(|error| error.to_string())?),
        None => agent.run(request.body(()).map_err(|error| error.to_string())?),
    };
    let mut response = sent.map_err(|error| error.to_string())?;
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let text = response
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers,
        json: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    })
}

/// Puts variables where their names stand. A text stands as it is, a document as JSON.
fn fill(template: &str, variables: &BTreeMap<String, Value>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, tail) = after.split_once("}}").ok_or("a variable without its end")?;
        let value = variables
            .get(name.trim())
            .ok_or_else(|| format!("no variable {name:?}"))?;
        filled.push_str(before);
        match value {
            Value::String(text) => filled.push_str(text),
            other => filled.push_str(&other.to_string()),
        }
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn check(entry: &Entry, answer: &Answer, variables: &mut BTreeMap<String, Value>) -> Result<(), String> {
    let shown = || format!("HTTP {}\n{:?}\n{}", answer.status, answer.headers, answer.text);
    if answer.status != entry.status {
        return Err(format!("expected HTTP {}, got {}", entry.status, shown()));
    }
    for (line, assert) in &entry.asserts {
        let (found, predicate) = query(assert, answer)?;
        if !holds(found.as_ref(), predicate, variables)? {
            return Err(format!("line {line}: {assert}\ngot {}", shown()));
        }
    }
    for (name, asked) in &entry.captures {
        let (found, filter) = query(asked, answer)?;
        let found = found.ok_or_else(|| format!("{asked}: there is nothing to capture in {}", shown()))?;
        variables.insert(name.clone(), filtered(found, filter)?);
    }
    Ok(())
}

/// What is captured after the filter `replace "this" "that"`, which works on the JSON text of a document.
fn filtered(found: Value, filter: &str) -> Result<Value, String> {
    if filter.is_empty() {
        return Ok(found);
    }
    let operands = filter
        .strip_prefix("replace ")
        .ok_or_else(|| format!("{filter}: not a filter known here"))?;
    let mut words = serde_json::Deserializer::from_str(operands).into_iter::<String>();
    let (Some(Ok(this)), Some(Ok(that))) = (words.next(), words.next()) else {
        return Err(format!("{filter}: two texts in quotes are needed"));
    };
    let text = found.to_string();
    if !text.contains(&this) {
        return Err(format!("{filter}: there is nothing to replace in {text}"));
    }
    serde_json::from_str(&text.replacen(&this, &that, 1)).map_err(|error| error.to_string())
}

/// What a query finds, and the rest of the line: the predicate or filter.
fn query<'a>(line: &'a str, answer: &Answer) -> Result<(Option<Value>, &'a str), String> {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    if kind == "body" {
        return Ok((Some(answer.text.clone().into()), rest));
    }
    let quoted = rest
        .trim_start()
        .strip_prefix('"')
        .and_then(|rest| rest.split_once('"'));
    let (name, predicate) = quoted.ok_or_else(|| format!("{line}: what is asked for stands in quotes"))?;
    let found = match kind {
        "jsonpath" => at_path(&answer.json, name)?,
        "header" => answer
            .headers
            .get(&name.to_ascii_lowercase())
            .map(|value| value.as_str().into()),
        other => return Err(format!("{other}: not a query known here")),
    };
    Ok((found, predicate.trim()))
}

/// The part of JSONPath that test files need: `$`, `.name`, `['name']`, `[index]`.
fn at_path(value: &Value, path: &str) -> Result<Option<Value>, String> {
    let mut rest = path.strip_prefix('$').ok_or_else(|| format!("{path}: begins with $"))?;
    let mut found = Some(value);
    while !rest.is_empty() {
        let (step, tail) = if let Some(after) = rest.strip_prefix("['") {
            after
                .split_once("']")
                .ok_or_else(|| format!("{path}: no end of name"))?
        } else if let Some(after) = rest.strip_prefix('[') {
            after
                .split_once(']')
                .ok_or_else(|| format!("{path}: no end of index"))?
        } else {
            let after = rest
                .strip_prefix('.')
                .ok_or_else(|| format!("{path}: not understood at {rest:?}"))?;
            after.split_at(after.find(['.', '[']).unwrap_or(after.len()))
        };
        found = found.and_then(|value| match step.parse::<usize>() {
            Ok(index) if value.is_array() => value.get(index),
            _ => value.get(step),
        });
        rest = tail;
    }
    Ok(found.cloned())
}

fn holds(found: Option<&Value>, predicate: &str, variables: &BTreeMap<String, Value>) -> Result<bool, String> {
    if let Some(predicate) = predicate.strip_prefix("not ") {
        return holds(found, predicate, variables).map(|held| !held);
    }
    let (word, operand) = predicate.split_once(' ').unwrap_or((predicate, ""));
    let wanted = || -> Result<Value, String> {
        let filled = fill(operand, variables)?;
        serde_json::from_str(&filled).map_err(|error| format!("{filled}: {error}"))
    };
    let texts = |test: fn(&str, &str) -> bool| -> Result<bool, String> {
        let wanted = wanted()?;
        Ok(match (found, wanted.as_str()) {
            (Some(Value::String(found)), Some(wanted)) => test(found, wanted),
            (Some(Value::Array(items)), _) => items.contains(&wanted),
            _ => false,
        })
    };
    match word {
        "exists" => Ok(found.is_some()),
        "==" => Ok(found == Some(&wanted()?)),
        "!=" => Ok(found != Some(&wanted()?)),
        "contains" => texts(|found, wanted| found.contains(wanted)),
        "startsWith" => texts(|found, wanted| found.starts_with(wanted)),
        "isEmpty" => Ok(match found {
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(members)) => members.is_empty(),
            _ => false,
        }),
        other => Err(format!("{other}: not a predicate known here")),
    }
}
