//! Events and flags as a file: CSV (RFC 4180) for spreadsheets, JSON for programs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use tagwarden_model::api::{Event, Flag};
use tagwarden_model::change::is_trick;
use tagwarden_model::event::Severity;
use tagwarden_model::instant::Instant;
use utoipa::{IntoParams, ToSchema};

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::flags::Standing;
use super::parameters::{self, Query, Repository};
use crate::store::StoreError;
use crate::store::read::{EventFilter, EventOrder, Position, Rows};

/// Rows that are read at once.
const CHUNK: u32 = 500;

/// The form of the file.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// Comma-separated, with a heading.
    Csv,
    /// A list of the objects that the API has.
    Json,
}

/// What is exported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `csv` or `json`.
    #[param(inline)]
    format: Format,
    /// Of this repository, as docker would name it.
    #[param(inline)]
    repository: Option<Repository>,
    /// Of the repositories of this group; not together with `repository`.
    #[param(max_length = 64)]
    group: Option<String>,
}

/// Which flags are exported: those that the list of them would have.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichFlags {
    /// `csv` or `json`.
    #[param(inline)]
    format: Format,
    /// Of this repository, as docker would name it.
    #[param(inline)]
    repository: Option<Repository>,
    /// Of the repositories of this group; not together with `repository`.
    #[param(max_length = 64)]
    group: Option<String>,
    /// Where they stand; `active` is all that are not closed.
    #[param(inline)]
    state: Option<Standing>,
    /// At least as severe.
    #[param(inline)]
    severity: Option<Severity>,
    /// Whose `repository:tag` contains this.
    #[param(max_length = 300)]
    contains: Option<String>,
}

impl WhichFlags {
    /// Whether a flag is among them, wherever it is.
    fn has(&self, flag: &Flag) -> bool {
        let name = || [&flag.repository, ":", flag.tag.as_deref().unwrap_or_default()].concat().to_lowercase();
        self.state.is_none_or(|standing| standing.states().contains(&flag.state))
            && self.severity.is_none_or(|least| flag.severity >= least)
            && self.contains.as_ref().is_none_or(|text| name().contains(&text.to_lowercase()))
    }
}

/// All events, newest first, as a file.
#[utoipa::path(get, path = "/api/v1/events/export", tag = "record", params(Which),
    responses((status = 200, description = "The file.",
        content((String = "text/csv"), (Vec<Event> = "application/json")))))]
pub(super) async fn events(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Response, ApiError> {
    let (format, repository, group) = which.parts()?;
    let filter = EventFilter { repository, group, ..EventFilter::default() };
    let (store, scope) = (state.store.clone(), caller.scope);
    let read = move |after: Option<Position>| -> BoxFuture<'static, Result<Rows<Event>, StoreError>> {
        let (store, filter) = (store.clone(), filter.clone());
        Box::pin(async move { store.events(scope, &filter, EventOrder::Seq, after.as_ref(), CHUNK).await })
    };
    Ok(file("events", format, EVENT, Box::new(read)))
}

/// Flags, newest first, as a file.
#[utoipa::path(get, path = "/api/v1/flags/export", tag = "flags", params(WhichFlags),
    responses((status = 200, description = "The file.",
        content((String = "text/csv"), (Vec<Flag> = "application/json")))))]
pub(super) async fn flags(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<WhichFlags>,
) -> Result<Response, ApiError> {
    let repository = which.repository.as_ref().map(|Repository(name)| name.clone());
    parameters::one_of(repository.as_ref(), which.group.as_deref())?;
    parameters::at_most("contains", which.contains.as_deref(), 300)?;
    let (store, scope, format) = (state.store.clone(), caller.scope, which.format);
    let asked = Arc::new((repository, which));
    let read = move |mut after: Option<Position>| -> BoxFuture<'static, Result<Rows<Flag>, StoreError>> {
        let (store, asked) = (store.clone(), asked.clone());
        Box::pin(async move {
            let (repository, which) = &*asked;
            loop {
                let group = which.group.as_deref();
                let (flags, next) = store.flags_by_id(scope, repository.as_ref(), group, after.as_ref(), CHUNK).await?;
                let flags: Vec<Flag> = flags.into_iter().filter(|flag| which.has(flag)).collect();
                // Only the last rows of a file may be none.
                if !flags.is_empty() || next.is_none() {
                    return Ok((flags, next));
                }
                after = next;
            }
        })
    };
    Ok(file("flags", format, FLAG, Box::new(read)))
}

impl Which {
    fn parts(self) -> Result<(Format, Option<tagwarden_model::name::RepositoryName>, Option<String>), ApiError> {
        let repository = self.repository.map(|Repository(name)| name);
        parameters::one_of(repository.as_ref(), self.group.as_deref())?;
        Ok((self.format, repository, self.group))
    }
}

/// A heading and how a row's cell is made.
type Columns<T> = &'static [(&'static str, fn(&T) -> String)];

const EVENT: Columns<Event> = &[
    ("seq", |event| event.seq.to_string()),
    ("at", |event| event.at.to_string()),
    ("kind", |event| word(&event.kind)),
    ("repository", |event| event.repository.clone()),
    ("tag", |event| event.tag.clone().unwrap_or_default()),
    ("class", |event| event.class.map(|class| word(&class)).unwrap_or_default()),
    ("old_digest", |event| text(event.old_digest.as_ref())),
    ("new_digest", |event| text(event.new_digest.as_ref())),
    ("not_before", |event| text(event.not_before.as_ref())),
    ("not_after", |event| event.not_after.to_string()),
    ("verified", |event| event.verified.to_string()),
    ("baseline", |event| event.baseline.to_string()),
    ("flag", |event| text(event.flag.as_ref())),
    ("difference", |event| event.difference.clone().unwrap_or_default()),
    ("leaf", |event| event.leaf.clone()),
];

const FLAG: Columns<Flag> = &[
    ("id", |flag| flag.id.to_string()),
    ("kind", |flag| word(&flag.kind)),
    ("state", |flag| word(&flag.state)),
    ("severity", |flag| word(&flag.severity)),
    ("repository", |flag| flag.repository.clone()),
    ("tag", |flag| flag.tag.clone().unwrap_or_default()),
    ("promise", |flag| text(flag.promise.as_ref())),
    ("current", |flag| text(flag.current.as_ref())),
    ("not_before", |flag| text::<Instant>(flag.not_before.as_ref())),
    ("not_after", |flag| flag.not_after.to_string()),
    ("opened", |flag| flag.opened.to_string()),
    ("changed", |flag| flag.changed.to_string()),
    ("difference", |flag| flag.difference.clone().unwrap_or_default()),
];

fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// The word that the API has for it.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

type Read<T> = Box<dyn Fn(Option<Position>) -> BoxFuture<'static, Result<Rows<T>, StoreError>> + Send + Sync>;

/// A file that is read from the record while it is sent, so that it takes no more memory than some rows.
fn file<T: Serialize + Send + 'static>(name: &str, format: Format, columns: Columns<T>, read: Read<T>) -> Response {
    let (kind, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Json => ("application/json", "json"),
    };
    let mut response = Body::from_stream(chunks(format, columns, read)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"tagwarden-{name}.{ending}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Where the file is.
enum At {
    Begin,
    After(Position),
    End,
}

fn chunks<T: Serialize + Send + 'static>(
    format: Format,
    columns: Columns<T>,
    read: Read<T>,
) -> impl Stream<Item = Result<String, StoreError>> {
    let chunks = futures::stream::unfold((At::Begin, read), move |(at, read)| async move {
        let (is_first, after) = match at {
            At::Begin => (true, None),
            At::After(position) => (false, Some(position)),
            At::End => return None,
        };
        let (rows, next) = match read(after).await {
            Ok(rows) => rows,
            // The connection ends without the last chunk, so that nobody takes half a file for the whole.
            Err(error) => {
                tracing::error!(?error, "an export ends: the record could not be read");
                return Some((Err(error), (At::End, read)));
            }
        };
        let mut out = String::new();
        match format {
            Format::Csv => out = csv(is_first, columns, &rows),
            Format::Json => {
                out.push_str(if is_first { "[" } else { "" });
                for (place, row) in rows.iter().enumerate() {
                    out.push_str(if is_first && place == 0 { "\n" } else { ",\n" });
                    // Structures of numbers and strings always serialise.
                    out.push_str(&serde_json::to_string(row).unwrap_or_default());
                }
                out.push_str(if next.is_none() { "\n]\n" } else { "" });
            }
        }
        Some((Ok(out), (next.map_or(At::End, At::After), read)))
    });
    // What compresses an answer asks once more behind its end.
    chunks.fuse()
}

/// Rows as RFC 4180 has them. Writing to memory cannot fail, and what is written is UTF-8.
fn csv<T>(with_heading: bool, columns: Columns<T>, rows: &[T]) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if with_heading {
        let _ = writer.write_record(columns.iter().map(|(name, _)| name));
    }
    for row in rows {
        let _ = writer.write_record(columns.iter().map(|(_, cell)| harmless(&cell(row))));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// What a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection); characters that steer
/// or hide text become a question mark.
fn harmless(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err();
    let shown = text.chars().map(|letter| if is_trick(letter) { '?' } else { letter });
    is_formula.then_some('\'').into_iter().chain(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::{Columns, csv};

    #[test]
    fn a_cell_is_no_formula_and_ends_where_it_should() {
        const COLUMNS: Columns<&str> =
            &[("what", |text| (*text).to_owned()), ("length", |text| text.len().to_string())];
        let rows = ["2.3.0", "=HYPERLINK(\"x\")", "+1+1", "@SUM(A1)", "-2", "-2+3", "a,b\nc", "x\u{202e}y", ""];
        let expected = [
            "what,length",
            "2.3.0,5",
            "\"'=HYPERLINK(\"\"x\"\")\",15",
            "'+1+1,4",
            "'@SUM(A1),8",
            "-2,2",
            "'-2+3,4",
            "\"a,b?c\",5",
            "x?y,5",
            ",0",
        ];
        assert_eq!(csv(true, COLUMNS, &rows), expected.join("\r\n") + "\r\n");
        assert_eq!(csv(false, COLUMNS, &[]), "");
    }
}
