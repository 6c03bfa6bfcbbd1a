//! The first revision, and the rows that every later one has to keep.

use covet_orm::prelude::*;
use covet_orm::{Db, Result};
use rust_decimal::Decimal;

#[derive(DbEnum, Clone, Copy, Debug)]
pub(crate) enum Role {
    Reader,
    Editor,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Author {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(max_len = 40, index)]
    pub(crate) name: String,
    #[covet(max_len = 100)]
    pub(crate) email: Option<String>,
    pub(crate) rating: i32,
    pub(crate) bio: Option<String>,
    #[covet(default = Role::Reader)]
    pub(crate) role: Role,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Book {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(references = Author, on_delete = cascade, index)]
    pub(crate) author_id: i64,
    #[covet(max_len = 100)]
    pub(crate) title: String,
    pub(crate) pages: i32,
    #[covet(decimal(10, 2))]
    pub(crate) price: Decimal,
    #[covet(default = false)]
    pub(crate) published: bool,
    #[covet(max_len = 20)]
    pub(crate) isbn: Option<String>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Review {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(references = Book, on_delete = cascade)]
    pub(crate) book_id: i64,
    pub(crate) stars: i16,
    pub(crate) text: String,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "shelves")]
pub(crate) struct Shelf {
    #[covet(key)]
    pub(crate) id: i64,
    #[covet(unique, max_len = 50)]
    pub(crate) name: String,
}

/// Three rows and more a table: NULL and empty, quotes, letters beyond ASCII, the ends of integers.
pub(crate) async fn fill(db: &Db) -> Result<()> {
    let none = None::<String>;
    let ann = Author::create().name("Ann").email("ann@x").rating(i32::MAX).bio("").role(Role::Editor);
    let ann = ann.exec(db).await?;
    let bob = Author::create().name("O'Brien \"B\" \\ `x`").email(none.clone()).rating(i32::MIN).bio(none.clone());
    let bob = bob.exec(db).await?;
    let zoë = Author::create()
        .name("")
        .email("zoë@日本")
        .rating(0)
        .bio("línea 1\nlínea 2\t🦀 %s {} $1 ? :x")
        .exec(db)
        .await?;
    let prices = ["99999999.99", "-0.01", "0.00"].map(|price| price.parse::<Decimal>().unwrap());
    let isbns = [Some("978-3"), None, Some("")];
    let mut books = Vec::new();
    for (number, author) in [&ann, &bob, &zoë].into_iter().enumerate() {
        let book = Book::create()
            .author_id(author.id)
            .title(["Title; DROP TABLE books; --", "", "Ä'ö\"ü\\"][number])
            .pages([i32::MAX, 0, i32::MIN][number])
            .price(prices[number])
            .published(number == 1)
            .isbn(isbns[number].map(str::to_owned));
        books.push(book.exec(db).await?);
    }
    for (number, stars) in [i16::MIN, 0, i16::MAX, 5].into_iter().enumerate() {
        let text = ["", "it's", "日本語 🦀", "\u{1}\t\r\n end "][number];
        Review::create().book_id(books[number % 3].id).stars(stars).text(text).exec(db).await?;
    }
    for name in ["A", "", "Ünï'\""] {
        Shelf::create().name(name).exec(db).await?;
    }
    Ok(())
}
