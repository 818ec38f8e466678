//! Messages in an administrator's own words. What is put in comes from registries, so that a template is bounded in work, memory
//! and length, and can read nothing but the message.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::message::Message;

/// Instructions of a template, and 64 bytes that it makes for each.
const FUEL: u64 = 50_000;
/// Bytes of a template.
const LONGEST_TEMPLATE: usize = 16 * 1024;
/// Bytes of what it makes.
const LONGEST_TEXT: usize = 64 * 1024;

/// A template that can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(String);

impl Template {
    /// Says where it is wrong.
    pub fn new(text: String) -> Result<Self, String> {
        if text.len() > LONGEST_TEMPLATE {
            return Err(format!("it is longer than {LONGEST_TEMPLATE} bytes"));
        }
        environment().template_from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self(text))
    }

    /// The message in the template's words.
    pub fn render(&self, message: &Message) -> Result<String, String> {
        let environment = environment();
        let value = minijinja::Value::from(Serde(message.described()));
        let text = environment.render_str(&self.0, value).map_err(|error| format!("the template fails: {error}"))?;
        if text.len() > LONGEST_TEXT {
            return Err(format!("the template makes more than {LONGEST_TEXT} bytes"));
        }
        Ok(text)
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment
}

#[cfg(test)]
mod tests {
    use tagwarden_model::api::Occasion;
    use tagwarden_model::instant::Instant;

    use super::*;

    fn render(text: &str) -> Result<String, String> {
        Template::new(text.to_owned())?.render(&Message::test(Instant(0)))
    }

    #[test]
    fn a_template_says_what_the_message_knows() {
        let word = Occasion::Test.word();
        assert_eq!(
            render("{{ occasion }} {{ count }} {{ title|tojson }}").unwrap(),
            format!("{word} 0 \"This is a test\"")
        );
    }

    #[test]
    fn a_template_is_bounded_in_words_work_and_reach() {
        assert!(render("{{ titel }}").unwrap_err().contains("undefined"));
        assert!(render("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}").is_err());
        assert!(render("{{ 'x' * 1000000000 }}").is_err());
        assert!(render("{{ 'x' * 70000 }}").unwrap_err().contains("65536"));
        assert!(render("{% include '/etc/passwd' %}").is_err());
        assert!(render("{% if %}").unwrap_err().contains(":1)"));
        assert!(render(&"x".repeat(LONGEST_TEMPLATE + 1)).is_err());
    }
}
