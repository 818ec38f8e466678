//! Parameters of path and query: every one is known, given once, and named in the error when it is wrong.

use std::fmt;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use tagwarden_model::name::{RepositoryName, TagName};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::error::ApiError;

/// The query's parameters as a structure with `#[serde(deny_unknown_fields)]`.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The path's parameters as a structure.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// For routes without a query: any parameter is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A repository as docker would take it, read to its canonical name.
#[derive(Debug)]
pub struct Repository(pub RepositoryName);

/// A tag.
#[derive(Debug)]
pub struct Tag(pub TagName);

/// The repository that a route is about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfRepository {
    /// The repository, as docker would name it.
    #[param(inline)]
    pub repository: Repository,
}

/// How many seconds a POST that creates a job waits for its end: 0 to 10.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wait {
    /// Answer when the job ended, or after this many seconds.
    #[serde(default)]
    #[param(minimum = 0, maximum = 10, default = 0)]
    wait: u8,
}

impl Wait {
    /// The seconds, if they are in range.
    pub fn seconds(&self) -> Result<i64, ApiError> {
        if self.wait > 10 { Err(ApiError::invalid("wait", "at most 10 seconds")) } else { Ok(self.wait.into()) }
    }
}

const TAG: &str = "a tag has 1 to 128 characters of A-Z a-z 0-9 _ . - and begins with none of . -";

/// A repository's canonical name from a body field.
pub fn repository(field: &str, text: &str) -> Result<RepositoryName, ApiError> {
    text.parse::<RepositoryName>().map_err(|error| ApiError::invalid(field, error.to_string()))
}

/// A tag from a body field.
pub fn tag(field: &str, text: &str) -> Result<TagName, ApiError> {
    TagName::new(text).ok_or_else(|| ApiError::invalid(field, TAG))
}

impl<'de> Deserialize<'de> for Repository {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl PartialSchema for Repository {
    fn schema() -> RefOr<Schema> {
        let pattern = concat!(
            r"^([A-Za-z0-9.-]+(:[0-9]{1,5})?/|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?/)?",
            r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$"
        );
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).max_length(Some(300));
        text.examples(["docker.io/library/nginx"]).into()
    }
}

impl ToSchema for Repository {}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TagName::new(&String::deserialize(deserializer)?).map(Self).ok_or_else(|| D::Error::custom(TAG))
    }
}

impl PartialSchema for Tag {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.pattern(Some("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")).examples(["2.3.0"]).into()
    }
}

impl ToSchema for Tag {}

/// A filter's text is no longer than what it is compared with.
pub fn at_most(field: &str, text: Option<&str>, length: usize) -> Result<(), ApiError> {
    if text.is_some_and(|text| text.chars().count() > length) {
        return Err(ApiError::invalid(field, format!("at most {length} characters")));
    }
    Ok(())
}

/// A list is of one repository or of a group's.
pub fn one_of(repository: Option<&RepositoryName>, group: Option<&str>) -> Result<(), ApiError> {
    at_most("group", group, 64)?;
    if repository.is_some() && group.is_some() {
        return Err(ApiError::invalid("group", "name a repository or a group, not both"));
    }
    Ok(())
}

/// Why somebody decided something, from a body: 1 to 2,000 characters that are not all space.
pub fn reason(text: &str) -> Result<(), ApiError> {
    if text.trim().is_empty() || text.chars().count() > 2000 {
        return Err(ApiError::invalid("reason", "say why, in 1 to 2,000 characters"));
    }
    Ok(())
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        read(pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, state).await.map_err(|rejection| match rejection {
            RawPathParamsRejection::InvalidUtf8InPathParam(error) => ApiError::invalid("path", error.to_string()),
            rejection => ApiError::Internal(rejection.to_string().into()),
        })?;
        read(raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned()))).map(Self)
    }
}

fn read<T: DeserializeOwned>(pairs: impl Iterator<Item = (String, String)>) -> Result<T, ApiError> {
    T::deserialize(MapAccessDeserializer::new(Pairs { rest: pairs, last: None }))
        .map_err(|Wrong { field, message }| ApiError::Invalid { field, message })
}

/// The parameters as a map; an error that a value raises gets the parameter's name.
struct Pairs<I> {
    rest: I,
    last: Option<(String, String)>,
}

impl<'de, I: Iterator<Item = (String, String)>> MapAccess<'de> for Pairs<I> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.last = self.rest.next();
        self.last.as_ref().map(|(name, _)| seed.deserialize(name.as_str().into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (name, text) = self.last.take().unwrap_or_default();
        seed.deserialize(Value(text)).map_err(|wrong| Wrong { field: name, ..wrong })
    }
}

/// One parameter's text, which reads itself as what the structure wants.
struct Value(String);

/// Which parameter is wrong, and why.
#[derive(Debug)]
struct Wrong {
    field: String,
    message: String,
}

macro_rules! parsed {
    ($($method:ident $visit:ident $kind:ty, $what:literal;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.0.parse::<$kind>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(Wrong::custom(format_args!(concat!("expected ", $what, ", got {:?}"), cut(&self.0)))),
            }
        })+
    };
}

/// So much of what was sent as an error message repeats.
fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(80).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

impl<'de> Deserializer<'de> for Value {
    type Error = Wrong;

    parsed! {
        deserialize_bool visit_bool bool, "true or false";
        deserialize_u8 visit_u8 u8, "a whole number from 0";
        deserialize_u32 visit_u32 u32, "a whole number from 0";
        deserialize_i64 visit_i64 i64, "a whole number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let text: StringDeserializer<Wrong> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u16 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { field: String::new(), message: message.to_string() }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("expected one of {}, got {:?}", expected.join(", "), cut(variant)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = match expected {
            [] => "this route takes no parameters".to_owned(),
            names => format!("no such parameter; there are {}", names.join(", ")),
        };
        Self { field: cut(field).to_owned(), message }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { field: field.to_owned(), message: "this parameter is required".to_owned() }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self { field: field.to_owned(), message: "give this parameter once".to_owned() }
    }
}
