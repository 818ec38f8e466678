//! Messages in an administrator's own words. What is put in comes from registries, so that a template is bounded in work, memory
//! and length, and can read nothing but the message. The engine bounds its instructions, but not how deep or large a value gets
//! that is made of itself: a template names no values and calls nothing, so that it makes none that is.

use std::io;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Filter, Stmt};
use minijinja::machinery::{parse, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::message::Message;

/// Instructions of a template, and 64 bytes that it makes for each.
const FUEL: u64 = 50_000;
/// Bytes of a template.
const LONGEST_TEMPLATE: usize = 16 * 1024;
/// Words and signs within its braces: what is read of them may be as deep as they are many.
const MOST_TOKENS: usize = 1000;
/// Bytes of what it makes.
const LONGEST_TEXT: usize = 64 * 1024;
/// Spaces of a level of JSON.
const WIDEST_INDENT: usize = 16;
/// What makes text, a number or a part of what it is given.
const FILTERS: [&str; 24] = [
    "capitalize",
    "count",
    "d",
    "default",
    "e",
    "escape",
    "first",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "rejectattr",
    "replace",
    "reverse",
    "selectattr",
    "sort",
    "string",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
];

/// A template that can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(String);

impl Template {
    /// Says where it is wrong.
    pub fn new(text: String) -> Result<Self, String> {
        if text.len() > LONGEST_TEMPLATE {
            return Err(format!("it is longer than {LONGEST_TEMPLATE} bytes"));
        }
        // What cannot be split ends here, and is said by the parser.
        let tokens = tokenize(&text, false, SyntaxConfig::default()).take_while(Result::is_ok);
        if tokens.count() > MOST_TOKENS {
            return Err(format!("it has more than {MOST_TOKENS} words and signs"));
        }
        environment().template_from_str(&text).map_err(|error| error.to_string())?;
        check(&parse(&text, "", SyntaxConfig::default()).map_err(|error| error.to_string())?)?;
        Ok(Self(text))
    }

    /// The message in the template's words.
    pub fn render(&self, message: &Message) -> Result<String, String> {
        let failed = |error: &dyn std::fmt::Display| format!("the template fails: {error}");
        let environment = environment();
        let value = Value::from(Serde(message.described()));
        let mut text = Text(Vec::new());
        let template = environment.template_from_str(&self.0).map_err(|error| failed(&error))?;
        let rendered = template.render_captured_to(value, &mut text).map(drop);
        if text.0.len() > LONGEST_TEXT {
            return Err(format!("the template makes more than {LONGEST_TEXT} bytes"));
        }
        rendered.map_err(|error| failed(&error))?;
        String::from_utf8(text.0).map_err(|error| failed(&error))
    }
}

/// Takes no more than it needs to know that it is too much.
struct Text(Vec<u8>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (LONGEST_TEXT + 1).saturating_sub(self.0.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.0.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment
}

fn check(statement: &Stmt<'_>) -> Result<(), String> {
    let all = |statements: &[Stmt<'_>]| statements.iter().try_for_each(check);
    match statement {
        Stmt::Template(template) => all(&template.children),
        Stmt::EmitRaw(_) => Ok(()),
        Stmt::EmitExpr(emit) => check_value(&emit.expr, Lists::Made),
        Stmt::ForLoop(each) => {
            // Its variable would be a name for a list that was made.
            check_value(&each.iter, Lists::OfTheMessage)?;
            check_values(&each.filter_expr, Lists::Made)?;
            all(&each.body)?;
            all(&each.else_body)
        }
        Stmt::IfCond(condition) => {
            check_value(&condition.expr, Lists::Made)?;
            all(&condition.true_body)?;
            all(&condition.false_body)
        }
        Stmt::Set(_) | Stmt::SetBlock(_) => Err(not_allowed("`set`")),
        Stmt::WithBlock(_) => Err(not_allowed("`with`")),
        Stmt::AutoEscape(_) => Err(not_allowed("`autoescape`")),
        Stmt::FilterBlock(_) => Err(not_allowed("`filter`")),
        Stmt::Do(_) => Err(not_allowed("`do`")),
    }
}

/// Which lists and maps there may be.
#[derive(Clone, Copy, PartialEq)]
enum Lists {
    Made,
    OfTheMessage,
}

fn check_value(value: &Expr<'_>, lists: Lists) -> Result<(), String> {
    if matches!(value, Expr::List(_) | Expr::Tuple(_) | Expr::Map(_)) && lists == Lists::OfTheMessage {
        return Err(not_allowed("a list or a map after `in` of a `for`"));
    }
    match value {
        Expr::Var(_) | Expr::Const(_) => Ok(()),
        Expr::Slice(slice) => {
            check_value(&slice.expr, lists)?;
            check_values([&slice.start, &slice.stop, &slice.step].into_iter().flatten(), lists)
        }
        Expr::UnaryOp(unary) => check_value(&unary.expr, lists),
        Expr::BinOp(both) if matches!(both.op, BinOpKind::Mul | BinOpKind::Pow) => Err(not_allowed("`*`")),
        Expr::BinOp(both) => check_values([&both.left, &both.right], lists),
        Expr::Compare(compare) => {
            check_value(&compare.expr, lists)?;
            check_values(compare.ops.iter().map(|compared| &compared.expr), lists)
        }
        Expr::IfExpr(either) => {
            check_values([&either.test_expr, &either.true_expr], lists)?;
            check_values(&either.false_expr, lists)
        }
        Expr::Filter(filter) => check_filter(filter, lists),
        Expr::Test(test) => {
            check_value(&test.expr, lists)?;
            check_arguments(&test.args, lists)
        }
        Expr::GetAttr(get) => check_value(&get.expr, lists),
        Expr::GetItem(get) => check_values([&get.expr, &get.subscript_expr], lists),
        Expr::Call(_) => Err(not_allowed("a call of a function")),
        Expr::List(list) => check_values(&list.items, lists),
        Expr::Tuple(tuple) => check_values(&tuple.items, lists),
        Expr::Map(map) => check_values(map.keys.iter().chain(&map.values), lists),
    }
}

fn check_values<'a>(values: impl IntoIterator<Item = &'a Expr<'a>>, lists: Lists) -> Result<(), String> {
    values.into_iter().try_for_each(|value| check_value(value, lists))
}

fn check_filter(filter: &Filter<'_>, lists: Lists) -> Result<(), String> {
    if !FILTERS.contains(&filter.name) {
        return Err(format!("`{}` is none of the filters: {}", filter.name, FILTERS.join(", ")));
    }
    match (filter.name, filter.args.as_slice()) {
        ("map", [CallArg::Kwarg("attribute", Expr::Const(_))]) | ("tojson", []) => {}
        // It could put in something else for each, or apply another filter.
        ("map", _) => return Err(not_allowed("`map` with anything but `attribute=\"…\"`")),
        // Spaces are counted when they were made.
        ("tojson", [CallArg::Pos(Expr::Const(indent)) | CallArg::Kwarg("indent", Expr::Const(indent))])
            if is_narrow(&indent.value) => {}
        ("tojson", _) => {
            return Err(not_allowed(&format!("`tojson` with anything but an indent up to {WIDEST_INDENT}")));
        }
        _ => {}
    }
    check_values(&filter.expr, lists)?;
    check_arguments(&filter.args, lists)
}

fn is_narrow(indent: &Value) -> bool {
    bool::try_from(indent.clone()).is_ok()
        || usize::try_from(indent.clone()).is_ok_and(|spaces| spaces <= WIDEST_INDENT)
}

fn check_arguments(arguments: &[CallArg<'_>], lists: Lists) -> Result<(), String> {
    arguments.iter().try_for_each(|argument| match argument {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
            check_value(value, lists)
        }
    })
}

fn not_allowed(what: &str) -> String {
    format!("{what} is not allowed in it")
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
    fn a_template_makes_text_of_lists_by_conditions_loops_and_filters() {
        let made = "{% for f in flags if f.tag is defined %}{{ f.tag }}{% if not loop.last %}, {% endif %}{% else %}none\
                    {% endfor %} {{ {'n': count + 1, 'all': [title|upper, text|trim|length]}|tojson }} \
                    {{ repositories|map(attribute='name')|join(', ')|default('-', true) }}{{ title[:4]|replace('T', 't') }}\
                    {{ [1]|tojson(indent=1) }}";
        assert_eq!(render(made).unwrap(), "none {\"all\": [\"THIS IS A TEST\", 14], \"n\": 1} -this[\n 1\n]");
    }

    #[test]
    fn a_template_is_bounded_in_words_work_and_reach() {
        assert!(render("{{ titel }}").unwrap_err().contains("undefined"));
        assert!(render("{% include '/etc/passwd' %}").is_err());
        assert!(render("{% if %}").unwrap_err().contains(":1)"));
        assert!(render(&"x".repeat(LONGEST_TEMPLATE + 1)).is_err());
        let long = "x".repeat(8000);
        assert!(render(&format!("{{% for c in title %}}{long}{{% endfor %}}")).unwrap_err().contains("65536"));
        let each = "{% for c in title %}".repeat(6) + &"{% endfor %}".repeat(6);
        assert!(render(&each).unwrap_err().contains("fuel"));
        let grown = "title".to_owned() + &"|replace('', title)".repeat(60);
        assert!(render(&format!("{{{{ {grown} }}}}")).unwrap_err().contains("fuel"));
    }

    #[test]
    fn a_template_makes_no_value_of_itself() {
        let doubled = "{% set a=[a,a] %}".repeat(60);
        let within = "{% for a in [[a,a]] %}".repeat(60);
        let mapped = "repositories|map(attribute='x', default=".repeat(9) + "1" + &")".repeat(9);
        for (text, named) in [
            ("{% set ns=namespace() %}{% set ns.a=ns %}{{ ns }}", "`set`"),
            ("{% set ns=namespace() %}{% set ns.a=ns %}{{ ns|tojson }}", "`set`"),
            ("{% set ns=namespace(a=1) %}{% for i in range(6000) %}{% set ns.a=[ns.a] %}{% endfor %}done", "`set`"),
            (&format!("{{% set a=[1] %}}{doubled}{{{{ a }}}}"), "`set`"),
            ("{% set a %}x{% endset %}", "`set`"),
            ("{% with a=[1] %}{{ a }}{% endwith %}", "`with`"),
            ("{% filter upper %}x{% endfilter %}", "`filter`"),
            ("{% autoescape true %}x{% endautoescape %}", "`autoescape`"),
            ("{% do namespace() %}", "`do`"),
            (&format!("{within}{{{{ a }}}}{}", "{% endfor %}".repeat(60)), "`for`"),
            ("{% for a in {'a': 1} %}{% endfor %}", "`for`"),
            ("{% for a in title|default([1]) %}{% endfor %}", "`for`"),
            ("{% for a in range(9999) %}x{% endfor %}", "a call"),
            ("{% if flags %}{{ [title.upper()] }}{% endif %}", "a call"),
            ("{{ 'x' * 1000000000 }}", "`*`"),
            ("{{ [[title] * 50000] ** 2 }}", "`*`"),
            ("{{ '%999999999d'|format(1) }}", "`format`"),
            (&format!("{{{{ {mapped} }}}}"), "`map`"),
            ("{{ repositories|map('tojson') }}", "`map`"),
            ("{{ [title]|tojson(indent=99999999999999) }}", "`tojson`"),
            ("{{ [title]|tojson(17) }}", "`tojson`"),
            ("{{ [title]|tojson(count) }}", "`tojson`"),
        ] {
            let error = Template::new(text.to_owned()).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_template_is_not_deeper_than_the_stack() {
        for (before, again, after) in [
            ("{{ 1", "+1", "}}"),
            ("{{ ", "-", "1 }}"),
            ("{{ ", "not ", "1 }}"),
            ("{{ title", "|e", "}}"),
            ("{{ title", ".a", "}}"),
            ("{{ ", "[", "}}"),
            ("", "{% for a in title %}", ""),
            ("{{ ", "1 if 1 else ", "1 }}"),
            ("{% if 1 %}", "{%elif 1%}", "{% endif %}"),
        ] {
            let text = |times: usize| format!("{before}{}{after}", again.repeat(times));
            let many = (LONGEST_TEMPLATE - 100) / again.len();
            assert!(Template::new(text(many)).unwrap_err().contains("1000"), "{again}");
            // Whatever is said of the most that is read: it is said.
            for times in (0..MOST_TOKENS).step_by(45) {
                let _ = render(&text(times));
            }
        }
    }
}
