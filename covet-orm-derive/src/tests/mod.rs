//! Expansion in process, without rustc: what is written, and what is refused in which words.
#![allow(clippy::unwrap_used)]

mod columns;
mod create;
mod enums;
mod item_errors;
mod model_errors;
mod relations;

use proc_macro2::TokenStream;
use syn::{Item, LitStr};

/// The messages of the mistakes in what a derive wrote.
fn messages(output: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(output).unwrap();
    let message = |item: Item| match item {
        Item::Macro(item) if item.mac.path.segments.last().unwrap().ident == "compile_error" => {
            Some(item.mac.parse_body::<LitStr>().unwrap().value())
        }
        _ => None,
    };
    file.items.into_iter().filter_map(message).collect()
}

/// What a derive wrote, as text. It has to be Rust, without errors.
fn text(output: TokenStream) -> String {
    let text = plain(&output);
    assert_eq!(messages(output), Vec::<String>::new());
    text
}

/// Tokens as text, without what two ways to write the same differ in: blanks, and the last comma of a list.
fn plain(tokens: &TokenStream) -> String {
    let text: String = tokens.to_string().split_whitespace().collect();
    text.replace(",)", ")").replace(",}", "}").replace(",{", "{")
}

/// Whether the text has these tokens one after the other.
#[track_caller]
fn has(text: &str, tokens: TokenStream) {
    let tokens = plain(&tokens);
    assert!(text.contains(&tokens), "`{tokens}` is not in\n{text}");
}

/// Whether the text has not these tokens one after the other.
#[track_caller]
fn has_not(text: &str, tokens: TokenStream) {
    let tokens = plain(&tokens);
    assert!(!text.contains(&tokens), "`{tokens}` is in\n{text}");
}

/// What `derive(Model)` writes for an item.
macro_rules! model {
    ($($item:tt)*) => {
        crate::derive::run(quote::quote!($($item)*), crate::derive::model)
    };
}
use model;
