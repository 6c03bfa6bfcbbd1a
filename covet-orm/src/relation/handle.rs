//! Relations as constants of their model: `Post::author`, `User::posts`, `Post::tags`.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use covet_drivers::contract::{Flow, Reuse, Row};
use covet_drivers::sql::{self, BinaryOp, Conflict, Many, Node, OnConflict, Statement};
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::{Executor, Session};
use crate::model::{Model, Record};
use crate::query::{ColumnOf, Condition, Expr, Insert, Path, Query};
use crate::relation::{BelongsTo, Fill as _, HasMany, HasOne, Loads, ManyToMany, RelationMeta, Through};

/// The field of a row into which a relation puts the rows that it loaded.
pub(crate) trait FieldOf<M, R>: Copy + Send + Sync {
    /// Puts them there.
    fn fill(self, row: &mut M, rows: Vec<R>, meta: &'static RelationMeta) -> Result<()>;
}

/// The field of a relation to at most one row, by its type.
enum OneField<M, R: 'static> {
    BelongsTo(fn(&mut M) -> &mut BelongsTo<R>),
    Optional(fn(&mut M) -> &mut BelongsTo<Option<R>>),
    HasOne(fn(&mut M) -> &mut HasOne<R>),
}

impl<M, R> Clone for OneField<M, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, R> Copy for OneField<M, R> {}

impl<M, R: Model> FieldOf<M, R> for OneField<M, R> {
    fn fill(self, row: &mut M, rows: Vec<R>, meta: &'static RelationMeta) -> Result<()> {
        match self {
            OneField::BelongsTo(field) => field(row).fill(rows, meta),
            OneField::Optional(field) => field(row).fill(rows, meta),
            OneField::HasOne(field) => field(row).fill(rows, meta),
        }
    }
}

impl<M, R: Model> FieldOf<M, R> for fn(&mut M) -> &mut HasMany<R> {
    fn fill(self, row: &mut M, rows: Vec<R>, meta: &'static RelationMeta) -> Result<()> {
        self(row).fill(rows, meta)
    }
}

impl<M, R: Model, L> FieldOf<M, R> for fn(&mut M) -> &mut ManyToMany<R, L> {
    fn fill(self, row: &mut M, rows: Vec<R>, meta: &'static RelationMeta) -> Result<()> {
        self(row).fill(rows, meta)
    }
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident<M, R $(, $link:ident)?> by $field:ty) => {
        $(#[$doc])*
        pub struct $name<M, R: 'static $(, $link: 'static)?> {
            meta: &'static RelationMeta,
            field: $field,
            marker: PhantomData<fn() -> (M, R $(, $link)?)>,
        }

        impl<M, R $(, $link)?> Clone for $name<M, R $(, $link)?> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<M, R $(, $link)?> Copy for $name<M, R $(, $link)?> {}

        impl<M, R $(, $link)?> fmt::Debug for $name<M, R $(, $link)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}::{}", self.meta.model, self.meta.field)
            }
        }

        impl<M, R $(, $link)?> $name<M, R $(, $link)?> {
            const fn with(meta: &'static RelationMeta, field: $field) -> Self {
                $name { meta, field, marker: PhantomData }
            }

            /// Its description.
            #[must_use]
            pub const fn meta(self) -> &'static RelationMeta {
                self.meta
            }
        }

        impl<M: Model, R: Model $(, $link: Model)?> $name<M, R $(, $link)?> {
            /// The related rows of one row, as a query: nothing is loaded into the row itself.
            pub fn of(self, row: &M) -> Related!(M, R $(, $link)?) {
                Related!(@make self, row $(, $link)?)
            }

            /// Loads the relation into a row that is in hand.
            ///
            /// # Errors
            /// Those of the query.
            pub async fn load(self, row: &mut M, on: &Executor) -> Result<()> {
                Loads::load(&self, std::slice::from_mut(row), on).await
            }

            /// Loads the relation into rows that are in hand, by one statement for all of them.
            ///
            /// # Errors
            /// Those of the query.
            pub async fn load_all(self, rows: &mut [M], on: &Executor) -> Result<()> {
                Loads::load(&self, rows, on).await
            }
        }

        impl<M: Model, R: Model $(, $link: Model)?> Loads<M> for $name<M, R $(, $link)?> {
            fn load<'a>(&'a self, rows: &'a mut [M], on: &'a Executor) -> covet_drivers::contract::BoxFuture<'a, Result<()>> {
                Box::pin(crate::relation::load::load(self.meta, self.field, rows, on))
            }
        }
    };
}

macro_rules! Related {
    ($m:ident, $r:ident) => { Query<$r> };
    ($m:ident, $r:ident, $link:ident) => { LinksOf<$r, $link> };
    (@make $this:ident, $row:ident) => { related($this.meta, $row) };
    (@make $this:ident, $row:ident, $link:ident) => {
        LinksOf { meta: $this.meta, own: $row.get($this.meta.own.index), query: related($this.meta, $row), marker: PhantomData }
    };
}

handle! {
    /// A relation to at most one row: belongs-to or has-one.
    ToOne<M, R> by OneField<M, R>
}

handle! {
    /// A relation to any number of rows: has-many.
    ToMany<M, R> by fn(&mut M) -> &mut HasMany<R>
}

handle! {
    /// A relation to any number of rows by way of a third model `L`: many-to-many.
    Links<M, R, L> by fn(&mut M) -> &mut ManyToMany<R, L>
}

// The derive writes the calls: the relation, and its field. Nothing is asked of the types, so that rustc has nothing to
// prove where a model is described.

impl<M, R> ToOne<M, R> {
    /// The relation of a `BelongsTo<R>`.
    #[doc(hidden)]
    #[must_use]
    pub const fn belongs_to(meta: &'static RelationMeta, field: fn(&mut M) -> &mut BelongsTo<R>) -> Self {
        Self::with(meta, OneField::BelongsTo(field))
    }

    /// The relation of a `BelongsTo<Option<R>>`.
    #[doc(hidden)]
    #[must_use]
    pub const fn optional(meta: &'static RelationMeta, field: fn(&mut M) -> &mut BelongsTo<Option<R>>) -> Self {
        Self::with(meta, OneField::Optional(field))
    }

    /// The relation of a `HasOne<R>`.
    #[doc(hidden)]
    #[must_use]
    pub const fn has_one(meta: &'static RelationMeta, field: fn(&mut M) -> &mut HasOne<R>) -> Self {
        Self::with(meta, OneField::HasOne(field))
    }
}

impl<M, R> ToMany<M, R> {
    /// The relation of a `HasMany<R>`.
    #[doc(hidden)]
    #[must_use]
    pub const fn has_many(meta: &'static RelationMeta, field: fn(&mut M) -> &mut HasMany<R>) -> Self {
        Self::with(meta, field)
    }
}

impl<M, R, L> Links<M, R, L> {
    /// The relation of a `ManyToMany<R, L>`.
    #[doc(hidden)]
    #[must_use]
    pub const fn many_to_many(meta: &'static RelationMeta, field: fn(&mut M) -> &mut ManyToMany<R, L>) -> Self {
        Self::with(meta, field)
    }
}

impl<M: Model, R: Model> ToOne<M, R> {
    /// A column of the related row: `Post::author.at(User::active).eq(true)`.
    #[must_use]
    pub fn at<C: ColumnOf<R>>(self, column: C) -> Path<M, R, C::Type> {
        Path::new(self.meta, column.column())
    }

    /// There is a related row and the condition holds for it: `Post::author.is(visible())`.
    ///
    /// SQL: `EXISTS (SELECT 1 FROM users WHERE users.id = posts.author_id AND …)`
    pub fn is(self, condition: impl Condition<R>) -> Expr<M, bool> {
        let condition = condition.into();
        let depth = condition.depth();
        Expr::around(self.meta.exists(condition.into_node()), depth)
    }
}

macro_rules! to_many {
    ($name:ident<M, R $(, $link:ident)?>) => {
        impl<M: Model, R: Model $(, $link: Model)?> $name<M, R $(, $link)?> {
            /// The condition holds for at least one related row.
            ///
            /// SQL: `EXISTS (SELECT 1 FROM posts WHERE posts.author_id = users.id AND …)`
            pub fn any(self, condition: impl Condition<R>) -> Expr<M, bool> {
                let condition = condition.into();
                let depth = condition.depth();
                Expr::around(self.meta.exists(condition.into_node()), depth)
            }

            /// The condition holds for no related row.
            ///
            /// SQL: `NOT (EXISTS (…))`
            pub fn none(self, condition: impl Condition<R>) -> Expr<M, bool> {
                !self.any(condition)
            }

            /// There is a related row at all.
            pub fn exists(self) -> Expr<M, bool> {
                self.any(Expr::<R, bool>::constant(true))
            }

            /// There is no related row.
            pub fn is_empty(self) -> Expr<M, bool> {
                !self.exists()
            }
        }
    };
}

to_many!(ToMany<M, R>);
to_many!(Links<M, R, L>);

/// The related rows of one row.
fn related<M: Record, R: Model>(meta: &'static RelationMeta, row: &M) -> Query<R> {
    let node = match row.get(meta.own.index) {
        // NULL points at nothing; `column = NULL` would be no answer either, but says less clearly so.
        Ok(Value::Null) => Node::Truth(false),
        Ok(value) => match &meta.through {
            None => Node::binary(BinaryOp::Eq, Node::column(meta.theirs.column), Node::Value(value)),
            Some(through) => {
                let mut select = sql::Select::new((through.model)().table, Many::EMPTY);
                let linked = Node::binary(
                    BinaryOp::Eq,
                    Node::column(through.theirs.column),
                    Node::Column { up: 1, source: 0, name: meta.theirs.column },
                );
                let mine = Node::binary(BinaryOp::Eq, Node::column(through.own.column), Node::Value(value));
                select.filter = Some(linked.and(mine));
                Node::Exists(sql::Ref::new(select))
            }
        },
        Err(error) => Node::Refused(Arc::new(error)),
    };
    Query::new().filter(Expr::new(node))
}

/// The rows that one row is linked with, to be read, and the links, to be changed:
/// `Post::tags.of(&post).link([&rust], &db)`.
#[must_use = "nothing is read or linked by itself"]
pub struct LinksOf<R, L> {
    meta: &'static RelationMeta,
    own: Result<Value>,
    query: Query<R>,
    marker: PhantomData<fn() -> L>,
}

impl<R: Model, L: Model> LinksOf<R, L> {
    /// The linked rows, as a query.
    pub fn query(self) -> Query<R> {
        self.query
    }

    /// All linked rows.
    ///
    /// # Errors
    /// Those of the query.
    pub async fn all(self, on: &Executor) -> Result<Vec<R>> {
        self.query.all(on).await
    }

    /// Links the row with others, by rows of the model between: all of them or none. A link that is
    /// there already stays. Gives the number of links that are new.
    ///
    /// SQL: `INSERT INTO post_tags (post_id, tag_id) VALUES (…), … ON CONFLICT (post_id, tag_id) DO NOTHING`. A
    /// database that does not tell how many were there already is asked for them first, in the same transaction.
    ///
    /// # Errors
    /// `ForeignKey` when one of the others does not exist; `InvalidInput` when the model between has no
    /// unique key over its two columns, by which a link could be told to be there already.
    pub fn link<'r>(
        self,
        others: impl IntoIterator<Item = &'r R>,
        on: &Executor,
    ) -> impl Future<Output = Result<u64>> + Send {
        let theirs = self.theirs(others);
        async move {
            let ((own, through), theirs) = (self.parts()?, theirs?);
            if !L::meta().is_unique(&[through.own.index, through.theirs.index]) {
                let (own, theirs) = (through.own.field, through.theirs.field);
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!("({own}, {theirs}) is no unique key, so a link could be made twice"),
                )
                .with_model(L::NAME)
                .with_help("make the two columns the key of the model, or `unique`"));
            }
            if theirs.is_empty() {
                return Ok(0);
            }
            let mut session = on.session().await?;
            let mut unit = session.unit().await?;
            let result = async {
                let mut linked = 0;
                for piece in theirs.chunks((on.capabilities().max_parameters / 2).clamp(1, 1000)) {
                    linked += insert_links::<L>(through, &own, piece, on, unit.session()).await?;
                }
                Ok(linked)
            }
            .await;
            unit.finish(result).await.map_err(|error: Error| L::meta().at(error))
        }
    }

    /// Removes the links with others; gives the number of links that were there.
    ///
    /// SQL: `DELETE FROM post_tags WHERE post_id = ? AND tag_id IN (…)`
    ///
    /// # Errors
    /// Those of the database.
    pub fn unlink<'r>(
        self,
        others: impl IntoIterator<Item = &'r R>,
        on: &Executor,
    ) -> impl Future<Output = Result<u64>> + Send {
        let theirs = self.theirs(others);
        async move {
            let ((own, through), theirs) = (self.parts()?, theirs?);
            let mut unlinked = 0;
            for piece in theirs.chunks(1000) {
                let mine = Node::binary(BinaryOp::Eq, Node::column(through.own.column), Node::Value(own.clone()));
                let list = piece.iter().cloned().map(Node::Value).collect();
                let among = Node::In(sql::Ref::new(Node::column(through.theirs.column)), list);
                let filter = Some(mine.and(among));
                let statement = Statement::Delete(sql::Delete { table: L::TABLE, filter, returning: Many::EMPTY });
                unlinked += on.run(&statement, &mut ()).await.map_err(|error| L::meta().at(error))?.affected;
            }
            Ok(unlinked)
        }
    }

    /// The keys of the others, taken before anything is awaited.
    fn theirs<'r>(&self, others: impl IntoIterator<Item = &'r R>) -> Result<Vec<Value>> {
        others.into_iter().map(|other| other.get(self.meta.theirs.index)).collect()
    }

    fn parts(&self) -> Result<(Value, &'static Through)> {
        let own = match &self.own {
            Ok(value) => value.clone(),
            Err(error) => return Err(error.again()),
        };
        match &self.meta.through {
            Some(through) => Ok((own, through)),
            None => Err(Error::unsupported("links of a relation without a model between", "covet")),
        }
    }
}

/// Inserts links to these rows, and gives the number of those that are new.
async fn insert_links<L: Model>(
    through: &'static Through,
    own: &Value,
    theirs: &[Value],
    on: &Executor,
    session: &mut Session<'_>,
) -> Result<u64> {
    let target = Many::from(vec![through.own.column, through.theirs.column]);
    let mut theirs: Vec<&Value> = theirs.iter().collect();
    // A row named twice is linked once.
    let mut seen: Vec<&Value> = Vec::with_capacity(theirs.len());
    theirs.retain(|value| {
        !seen.contains(value) && {
            seen.push(value);
            true
        }
    });
    let counts = on.capabilities().conflict_target;
    if !counts {
        let mine = Node::binary(BinaryOp::Eq, Node::column(through.own.column), Node::Value(own.clone()));
        let list: Many<Node> = theirs.iter().map(|value| Node::Value((*value).clone())).collect();
        let mut select = sql::Select::new(L::TABLE, vec![Node::column(through.theirs.column)]);
        select.filter = Some(mine.and(Node::In(sql::Ref::new(Node::column(through.theirs.column)), list)));
        let mut there = Vec::new();
        let mut sink = |row: &mut Row<'_>| {
            there.push(through.theirs.place(row.value(0, through.theirs.ty))?.to_owned());
            Ok(Flow::Continue)
        };
        // Locked, so that it is the truth of now and not of the transaction's beginning.
        select.lock = on.capabilities().row_locks;
        session.statement(&select.into(), &mut sink, Reuse::Keep).await?;
        theirs.retain(|value| !there.contains(value));
    }
    let mut columns = Many::EMPTY;
    let mut rows = Vec::with_capacity(theirs.len());
    for value in theirs {
        let mut link = Insert::<L>::new();
        link.put(through.own.index, Node::Value(own.clone()));
        link.put(through.theirs.index, Node::Value(value.clone()));
        link.fill();
        let (names, nodes) = link.into_parts();
        columns = names;
        rows.push(nodes);
    }
    if rows.is_empty() {
        return Ok(0);
    }
    let new = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let conflict = Some(Conflict { target, action: OnConflict::Nothing });
    let statement = Statement::Insert(sql::Insert { table: L::TABLE, columns, rows, conflict, returning: Many::EMPTY });
    let outcome = session.statement(&statement, &mut (), Reuse::Keep).await?;
    Ok(if counts { outcome.affected } else { new })
}

impl<R, L> fmt::Debug for LinksOf<R, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{} of one row", self.meta.model, self.meta.field)
    }
}
