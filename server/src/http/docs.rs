//! The API's description: OpenAPI 3.1 for programs, and the same as a plain page for people.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use utoipa::openapi::OpenApi;

use super::AppState;
use super::parameters::{Nothing, Query};
use crate::page::source_hash;

/// `openapi.json` and `docs`; both are made once.
pub(super) fn routes(document: &OpenApi) -> Router<AppState> {
    let value = serde_json::to_value(document).unwrap_or_default();
    let json: Arc<str> = format!("{value:#}\n").into();
    let page: Arc<str> = page(&value).into();
    Router::new()
        .route("/api/v1/openapi.json", get(move |_: Query<Nothing>| async move { as_json(&json) }))
        .route("/api/v1/docs", get(move |_: Query<Nothing>| async move { as_page(&page) }))
}

fn as_json(json: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json.to_owned()).into_response()
}

fn as_page(page: &str) -> Response {
    let policy =
        format!("default-src 'none'; style-src {}; base-uri 'none'; frame-ancestors 'none'", source_hash(STYLE));
    let policy = HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page.to_owned())).into_response()
}

const STYLE: &str = "
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } h3 { margin: 2rem 0 0; } code { font-size: 0.95em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } td { border-top: 1px solid #8885; padding: 4px 12px 4px 0; vertical-align: top; }
td:first-child { width: 16rem; }
";

/// The whole description as one page without scripts.
fn page(document: &Value) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Tagwarden API</title><style>{STYLE}</style></head><body>\
         <h1>Tagwarden API</h1>{}<p>For programs: <a href=\"openapi.json\">openapi.json</a> (OpenAPI 3.1).</p><h2>Operations</h2>",
        paragraphs(text(&document["info"]["description"]))
    );
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            operation_html(&mut html, path, method, operation);
        }
    }
    html.push_str("<h2>Bodies</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let _ = write!(html, "<h3 id=\"{0}\"><code>{0}</code></h3>", escape(name));
        html.push_str(&paragraphs(text(&schema["description"])));
        rows(
            &mut html,
            fields(schema)
                .map(|(field, of)| (field.to_owned(), format!("{} {}", type_of(of), inline(text(&of["description"]))))),
        );
    }
    html.push_str("</body></html>");
    html
}

fn operation_html(html: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(html, "<h3><code>{} {}</code></h3>", method.to_uppercase(), escape(path));
    html.push_str(&paragraphs(text(&operation["summary"])));
    html.push_str(&paragraphs(text(&operation["description"])));
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| {
        let required = if parameter["required"] == true { " (required)" } else { "" };
        let about = format!("{}{required} {}", type_of(&parameter["schema"]), inline(text(&parameter["description"])));
        (text(&parameter["name"]).to_owned(), about)
    });
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = (!body.is_null()).then(|| ("body".to_owned(), type_of(body)));
    let answers = members(&operation["responses"]).map(|(status, response)| {
        let schema = members(&response["content"]).next().map(|(_, content)| type_of(&content["schema"]));
        (status.to_owned(), format!("{} {}", schema.unwrap_or_default(), inline(text(&response["description"]))))
    });
    rows(html, parameters.chain(body).chain(answers));
}

fn rows(html: &mut String, rows: impl Iterator<Item = (String, String)>) {
    html.push_str("<table>");
    for (name, about) in rows {
        let _ = write!(html, "<tr><td><code>{}</code></td><td>{about}</td></tr>", escape(&name));
    }
    html.push_str("</table>");
}

/// Fields of an object; of all parts of one that is put together.
fn fields(schema: &Value) -> Box<dyn Iterator<Item = (&str, &Value)> + '_> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    Box::new(members(&schema["properties"]).chain(parts.flat_map(|part| members(&part["properties"]))))
}

/// A schema in a few words of HTML: a link, `list of …`, the words of an enumeration, or its type.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[key].as_array() {
            return parts.iter().map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| format!("<code>{}</code>", escape(text(word)))).collect::<Vec<_>>().join(", ");
    }
    if schema["items"].is_object() {
        return format!("list of {}", type_of(&schema["items"]));
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        kind => text(kind).to_owned(),
    };
    let format = schema["format"].as_str().map(|format| format!(" ({format})")).unwrap_or_default();
    escape(&format!("{kinds}{format}"))
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .filter(|part| !part.is_empty())
        .fold(String::new(), |html, part| html + "<p>" + &inline(part) + "</p>")
}

/// Escaped, with `code` as such.
fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) }).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
