//! What a column gets when an insert does not name it.

use syn::{Expr, ExprPath, ExprUnary, Lit, UnOp};

use crate::errors::Errors;
use crate::model::Kind;
use crate::names::{self, Word};

/// A default, in the terms of the catalogue.
pub(crate) enum DefaultValue {
    Bool(bool),
    Int(i64),
    /// A number as the user wrote it.
    Number(String),
    Text(String),
    Now,
    /// A new UUID; Covet makes it, not the database.
    Uuid,
    /// A variant of an enum.
    Variant(ExprPath),
}

impl DefaultValue {
    /// Reads `default = …` or `backfill = …`, and whether it fits the type.
    pub(super) fn read(
        word: Word,
        expr: &Expr,
        kind: Kind,
        decimal: Option<(u8, u8)>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let value = Self::parse(word, expr, kind, errors)?;
        let (fits, what) = match &value {
            DefaultValue::Bool(_) => (kind.is(Kind::Bool), "a bool"),
            DefaultValue::Int(_) => (kind.is_number(), "an integer"),
            DefaultValue::Number(text) if is_whole(text) => (kind.is_number(), "an integer"),
            DefaultValue::Number(_) => (kind.is_fractional(), "a number with a fraction"),
            // Times and UUIDs are written as texts, in the form that the database reads.
            DefaultValue::Text(_) => {
                let as_text = matches!(kind, Kind::Time | Kind::Uuid);
                (kind.is(Kind::Text).map(|is_text| is_text || as_text), "text")
            }
            DefaultValue::Now => (kind.is(Kind::Time), "a time"),
            DefaultValue::Uuid => (kind.is(Kind::Uuid), "a UUID"),
            DefaultValue::Variant(_) => (Some(kind == Kind::Other), "a variant of an enum"),
        };
        if fits == Some(false) {
            errors.at(expr, format!("the {} is {what}, and the column is not", word.text));
            return None;
        }
        if let Some((precision, scale)) = decimal
            && !value.has_digits(precision, scale)
        {
            errors.at(
                expr,
                format!("the {} does not fit `decimal({precision}, {scale})`, written without exponent", word.text),
            );
            return None;
        }
        Some(value)
    }

    fn parse(word: Word, expr: &Expr, kind: Kind, errors: &mut Errors) -> Option<Self> {
        match expr {
            Expr::Lit(literal) => Self::literal(word, &literal.lit, "", kind, expr, errors),
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr: inner, .. }) => match inner.as_ref() {
                Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_) | Lit::Float(_)) => {
                    Self::literal(word, &literal.lit, "-", kind, expr, errors)
                }
                _ => Self::refuse(word, expr, errors),
            },
            Expr::Path(path) if path.path.is_ident(names::NOW) => Some(DefaultValue::Now),
            Expr::Path(path) if path.path.is_ident(names::UUID) && word.text == names::DEFAULT.text => {
                Some(DefaultValue::Uuid)
            }
            Expr::Path(path) if path.path.segments.len() > 1 => Some(DefaultValue::Variant(path.clone())),
            Expr::Group(group) => Self::parse(word, &group.expr, kind, errors),
            _ => Self::refuse(word, expr, errors),
        }
    }

    fn literal(word: Word, literal: &Lit, sign: &str, kind: Kind, expr: &Expr, errors: &mut Errors) -> Option<Self> {
        match literal {
            Lit::Bool(value) => Some(DefaultValue::Bool(value.value)),
            Lit::Str(value) => Some(DefaultValue::Text(value.value())),
            Lit::Float(value) => Some(DefaultValue::Number(format!("{sign}{}", value.base10_digits()))),
            Lit::Int(value) => {
                let digits = format!("{sign}{}", value.base10_digits());
                let number = digits.parse::<i128>().ok();
                let (least, greatest) = match kind {
                    Kind::Int(least, greatest) => (least, greatest),
                    _ => (i64::MIN.into(), i64::MAX.into()),
                };
                if !number.is_some_and(|number| (least..=greatest).contains(&number)) {
                    errors.at(expr, format!("the {} is not between {least} and {greatest}", word.text));
                    return None;
                }
                // Only the upper half of u64 is left over.
                Some(digits.parse().map_or(DefaultValue::Number(digits), DefaultValue::Int))
            }
            _ => Self::refuse(word, expr, errors),
        }
    }

    /// Whether a number has no more digits than a decimal column keeps.
    fn has_digits(&self, precision: u8, scale: u8) -> bool {
        let text = match self {
            DefaultValue::Int(number) => number.to_string(),
            DefaultValue::Number(text) => text.clone(),
            _ => return true,
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole = whole.trim_start_matches(['-', '0']);
        !text.contains(['e', 'E'])
            && whole.len() <= usize::from(precision - scale)
            && fraction.len() <= usize::from(scale)
    }

    fn refuse(word: Word, expr: &Expr, errors: &mut Errors) -> Option<Self> {
        let word = word.text;
        let uuid = if word == names::DEFAULT.text { " `uuid`," } else { "" };
        errors.at_with_help(
            expr,
            format!("this cannot be a {word}"),
            format!("a {word} is a literal, `now`,{uuid} or a variant with its enum, as in `Role::Reader`"),
        );
        None
    }
}

fn is_whole(number: &str) -> bool {
    !number.contains(['.', 'e', 'E'])
}
