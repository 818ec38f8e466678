//! Reads the server's JSON. The page knows its types and needs no more than they do: objects by their fields, whole
//! numbers, no position of a mistake. `serde_json` has all of that for every type, and would be a tenth of the page.

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use tagwarden_model::api::{Event, FlagDetail, Target, Transition};
use tagwarden_model::change::ChangeRow;

/// The field that could not be read; empty for the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadError(pub &'static str);

const MISTAKE: ReadError = ReadError("");

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ReadError {}

// Every one without words: the field says enough, and words are code in the page.
impl serde::de::Error for ReadError {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        MISTAKE
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        MISTAKE
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        MISTAKE
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        MISTAKE
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        MISTAKE
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        MISTAKE
    }

    fn missing_field(field: &'static str) -> Self {
        Self(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(field)
    }
}

/// Reads a whole answer.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    let mut reader = Reader { rest: text };
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// What a [`FlagDetail`] has besides its flag, among whose fields it stands.
#[derive(Deserialize)]
struct Story {
    differences: Vec<ChangeRow>,
    revision: Option<String>,
    events: Vec<Event>,
    transitions: Vec<Transition>,
    targets: Vec<Target>,
}

/// Reads a flag with its story, in two turns: what is among other fields is of no known type.
pub fn read_flag(text: &str) -> Result<FlagDetail, ReadError> {
    let Story { differences, revision, events, transitions, targets } = read(text)?;
    Ok(FlagDetail { flag: read(text)?, differences, revision, events, transitions, targets })
}

/// What is still to be read.
struct Reader<'a> {
    rest: &'a str,
}

type Read<T> = Result<T, ReadError>;

impl Reader<'_> {
    /// What comes next, white space apart; 0 at the end.
    fn peek(&mut self) -> u8 {
        self.rest = self.rest.trim_ascii_start();
        self.rest.bytes().next().unwrap_or(0)
    }

    fn next_char(&mut self) -> Read<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next.ok_or(MISTAKE)
    }

    #[inline(never)]
    fn takes(&mut self, token: &str) -> bool {
        self.peek();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    #[inline(never)]
    fn must_take(&mut self, token: &str) -> Read<()> {
        if self.takes(token) { Ok(()) } else { Err(MISTAKE) }
    }

    fn end(&mut self) -> Read<()> {
        if self.peek() == 0 { Ok(()) } else { Err(MISTAKE) }
    }

    #[inline(never)]
    fn number<T: std::str::FromStr>(&mut self) -> Read<T> {
        self.peek();
        let is_part = |byte: u8| byte == b'-' || byte.is_ascii_digit();
        let end = self.rest.bytes().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end).ok_or(MISTAKE)?;
        self.rest = rest;
        digits.parse().map_err(|_| MISTAKE)
    }

    #[inline(never)]
    fn string(&mut self) -> Read<String> {
        self.must_take("\"")?;
        let mut text = String::new();
        loop {
            let end = self.rest.bytes().position(|byte| byte == b'"' || byte == b'\\').ok_or(MISTAKE)?;
            let (plain, rest) = self.rest.split_at_checked(end).ok_or(MISTAKE)?;
            text.push_str(plain);
            self.rest = rest;
            if self.next_char()? == '"' {
                return Ok(text);
            }
            text.push(match self.next_char()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.code_point()?,
                other => other,
            });
        }
    }

    /// What `\u` begins; beyond the first plane it is two of them.
    fn code_point(&mut self) -> Read<char> {
        let mut code = self.four_digits()?;
        if (0xd800..0xdc00).contains(&code) {
            self.must_take("\\u")?;
            code = 0x1_0000 + ((code - 0xd800) << 10) + self.four_digits()?.saturating_sub(0xdc00);
        }
        char::from_u32(code).ok_or(MISTAKE)
    }

    fn four_digits(&mut self) -> Read<u32> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or(MISTAKE)?;
        self.rest = rest;
        u32::from_str_radix(digits, 16).map_err(|_| MISTAKE)
    }

    /// Passes over a value, up to what closes or follows it.
    fn skip(&mut self) -> Read<()> {
        let mut depth = 0;
        loop {
            match self.peek() {
                0 => return Err(MISTAKE),
                b',' | b'}' | b']' if depth == 0 => return Ok(()),
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.next_char()?;
        }
    }

    /// The number of the next of these words; `None` for another one.
    #[inline(never)]
    fn word(&mut self, words: &[&str]) -> Read<Option<u32>> {
        let word = self.string()?;
        Ok((0..).zip(words).find(|(_, known)| **known == word).map(|(at, _)| at))
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'_> {
    type Error = ReadError;

    /// Nothing that the page reads is of a type unknown before.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Read<V::Value> {
        Err(MISTAKE)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let yes = self.takes("true");
        if !yes {
            self.must_take("false")?;
        }
        visitor.visit_bool(yes)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_i64(self.number()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_string(self.string()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.takes("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.must_take("[")?;
        visitor.visit_seq(Items(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        self.must_take("{")?;
        visitor.visit_map(Fields { reader: self, known: fields, newest: "" })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        let holds = self.takes("{");
        let number = self.word(variants)?.ok_or(MISTAKE)?;
        if !holds {
            return visitor.visit_enum(number.into_deserializer());
        }
        self.must_take(":")?;
        let value = visitor.visit_enum(Variant { reader: self, number })?;
        self.must_take("}")?;
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct map identifier
    }
}

/// The items of a list, behind its bracket.
struct Items<'r, 'a>(&'r mut Reader<'a>);

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        if self.0.takes("]") {
            return Ok(None);
        }
        let item = seed.deserialize(&mut *self.0)?;
        self.0.takes(",");
        Ok(Some(item))
    }
}

/// The fields of an object, behind its brace.
struct Fields<'r, 'a> {
    reader: &'r mut Reader<'a>,
    known: &'static [&'static str],
    newest: &'static str,
}

impl Fields<'_, '_> {
    /// The number of the next field that is known.
    #[inline(never)]
    fn next(&mut self) -> Read<Option<u32>> {
        loop {
            self.reader.takes(",");
            if self.reader.takes("}") {
                return Ok(None);
            }
            let number = self.reader.word(self.known)?;
            self.reader.must_take(":")?;
            if let Some(number) = number {
                self.newest = self.known.get(number as usize).copied().unwrap_or_default();
                return Ok(Some(number));
            }
            self.reader.skip()?;
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        // Its number, which a derived type takes as it takes its name.
        let Some(number) = self.next()? else { return Ok(None) };
        let key: U32Deserializer<ReadError> = number.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Read<V::Value> {
        let field = self.newest;
        seed.deserialize(&mut *self.reader).map_err(|error| if error == MISTAKE { ReadError(field) } else { error })
    }
}

/// A variant that holds a value.
struct Variant<'r, 'a> {
    reader: &'r mut Reader<'a>,
    number: u32,
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Read<(V::Value, Self)> {
        let variant: U32Deserializer<ReadError> = self.number.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = ReadError;

    fn unit_variant(self) -> Read<()> {
        Err(MISTAKE)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Read<T::Value> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Read<V::Value> {
        Err(MISTAKE)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Read<V::Value> {
        Err(MISTAKE)
    }
}

#[cfg(test)]
mod tests;
