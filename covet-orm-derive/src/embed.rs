//! `embed_migrations!`: the files of a folder, as texts in the program.
//!
//! Each is an `include_str!`, so cargo looks at each. A file that comes is seen by none of them; the index is.

use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, LitStr, Result};

use crate::expand::paths;

/// The file that changes when a migration comes or goes.
const INDEX: &str = "index";

/// The expansion.
pub(crate) fn run(input: TokenStream) -> Result<TokenStream> {
    let name: LitStr = syn::parse2(input)?;
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .ok_or_else(|| Error::new(name.span(), "cargo does not say where the package is"))?;
    expand(&root.join(name.value()), name.span())
}

fn expand(folder: &Path, span: Span) -> Result<TokenStream> {
    let failed = |what: String| Error::new(span, what);
    let index = folder.join(INDEX);
    if !index.is_file() {
        return Err(failed(format!(
            "there is no {}: `cargo covet migrate make` writes it with the first migration",
            index.display()
        )));
    }
    let mut migrations = Vec::new();
    for migration in entries(folder).map_err(&failed)? {
        let Some(name) = file_name(&migration).filter(|name| !name.starts_with('.') && migration.is_dir()) else {
            continue;
        };
        let mut files = Vec::new();
        for file in entries(&migration).map_err(&failed)? {
            // The snapshots are for those who make migrations.
            let wanted = |name: &String| name == "plan.toml" || Path::new(name).extension().is_some_and(|e| e == "sql");
            if let Some(name) = file_name(&file).filter(wanted) {
                let path = text(&file).map_err(&failed)?;
                files.push(quote!((#name, ::core::include_str!(#path))));
            }
        }
        migrations.push(quote!((#name, &[#(#files),*])));
    }
    let index = text(&index).map_err(&failed)?;
    let import = paths::import();
    Ok(quote! {{
        #import
        const _: &[u8] = ::core::include_bytes!(#index);
        __Embedded::new(&[#(#migrations),*])
    }})
}

/// What is in a folder, in order.
fn entries(folder: &Path) -> std::result::Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        found.push(entry.map_err(failed)?.path());
    }
    found.sort();
    Ok(found)
}

fn file_name(path: &Path) -> Option<String> {
    path.file_name().and_then(|name| name.to_str()).map(str::to_owned)
}

fn text(path: &Path) -> std::result::Result<&str, String> {
    path.to_str().ok_or_else(|| format!("the path {} is not Unicode", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proc_macro2::Span;

    use super::expand;

    #[test]
    fn scripts_and_plans_are_included_and_the_index_is_watched() {
        let folder = std::env::temp_dir().join(format!("covet-embed-{}", std::process::id()));
        let migration = folder.join("1_first");
        std::fs::create_dir_all(&migration).unwrap();
        std::fs::create_dir_all(folder.join(".2_draft")).unwrap();
        for file in ["plan.toml", "schema.toml", "up.sqlite.sql", "notes.txt"] {
            std::fs::write(migration.join(file), "").unwrap();
        }
        let error = expand(&folder, Span::call_site()).unwrap_err().to_string();
        assert!(error.contains("index") && error.contains("migrate make"), "{error}");
        std::fs::write(folder.join("index"), "1_first\n").unwrap();
        let text = expand(&folder, Span::call_site()).unwrap().to_string();
        for (word, there) in [
            ("\"1_first\"", true),
            ("plan.toml", true),
            ("up.sqlite.sql", true),
            ("schema.toml", false),
            ("draft", false),
            ("notes", false),
        ] {
            assert_eq!(text.contains(word), there, "{word}: {text}");
        }
        assert!(text.contains("include_bytes") && text.contains("index"), "{text}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
