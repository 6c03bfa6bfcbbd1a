//! Relation fields: loaded, or a typed error that says how to load them.
//!
//! What is loaded sits behind `dyn`: with a plain `Vec<T>` or `Box<T>` inside, models that refer to
//! each other would form one type graph, and rustc gives up on it from about 30 models on.

use std::fmt;
use std::marker::PhantomData;

use covet_drivers::{Error, ErrorKind, Result};

use crate::relation::RelationMeta;

/// Rows of another model, of any number, without their type.
trait Rows<T>: Send + Sync {
    fn get(&self) -> &[T];
    fn get_mut(&mut self) -> &mut [T];
    fn take(self: Box<Self>) -> Vec<T>;
}

impl<T: Send + Sync> Rows<T> for Vec<T> {
    fn get(&self) -> &[T] {
        self
    }

    fn get_mut(&mut self) -> &mut [T] {
        self
    }

    fn take(self: Box<Self>) -> Vec<T> {
        *self
    }
}

enum State<T> {
    Unloaded(Option<&'static RelationMeta>),
    Loaded(Box<dyn Rows<T>>),
}

impl<T> State<T> {
    fn get(&self, field: &'static str) -> Result<&[T]> {
        match self {
            State::Loaded(rows) => Ok(rows.get()),
            State::Unloaded(meta) => Err(not_loaded(*meta, field)),
        }
    }

    fn get_mut(&mut self, field: &'static str) -> Result<&mut [T]> {
        match self {
            State::Loaded(rows) => Ok(rows.get_mut()),
            State::Unloaded(meta) => Err(not_loaded(*meta, field)),
        }
    }

    fn take(self, field: &'static str) -> Result<Vec<T>> {
        match self {
            State::Loaded(rows) => Ok(rows.take()),
            State::Unloaded(meta) => Err(not_loaded(meta, field)),
        }
    }

    fn is_loaded(&self) -> bool {
        matches!(self, State::Loaded(_))
    }
}

#[cold]
fn not_loaded(meta: Option<&'static RelationMeta>, field: &'static str) -> Error {
    match meta {
        Some(RelationMeta { model, field, .. }) => Error::new(ErrorKind::NotLoaded, "the relation was not loaded")
            .with_model(*model)
            .with_field(*field)
            .with_help(format!(
                "add `.include({model}::{field})` to the query, or call `{model}::{field}.load(&mut row, &db).await`"
            )),
        None => Error::new(ErrorKind::NotLoaded, format!("this {field} was made by hand and not loaded")),
    }
}

/// What a relation constant fills with the rows that it loaded.
pub trait Fill<R> {
    /// Takes the rows.
    ///
    /// # Errors
    /// `NotFound` when there must be a row and is none, `TooManyRows` when there are too many.
    fn fill(&mut self, rows: Vec<R>, meta: &'static RelationMeta) -> Result<()>;
}

/// Where the model between two others was not named; the derive says so.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Unnamed {}

macro_rules! relation_field {
    ($(#[$doc:meta])* $name:ident<T $(, $phantom:ident)?>) => {
        $(#[$doc])*
        pub struct $name<T: 'static $(, $phantom: 'static = Unnamed)?> {
            state: State<T>,
            // `fn() -> T` keeps the graph of models out of drop check and auto traits.
            marker: PhantomData<(fn() -> T, $(fn() -> $phantom)?)>,
        }

        impl<T $(, $phantom)?> $name<T $(, $phantom)?> {
            /// Not loaded; the derive names the relation.
            #[must_use]
            pub const fn unloaded(meta: &'static RelationMeta) -> Self {
                $name { state: State::Unloaded(Some(meta)), marker: PhantomData }
            }

            /// Whether it was loaded.
            #[must_use]
            pub fn is_loaded(&self) -> bool {
                self.state.is_loaded()
            }
        }

        impl<T $(, $phantom)?> Default for $name<T $(, $phantom)?> {
            /// Not loaded.
            fn default() -> Self {
                $name { state: State::Unloaded(None), marker: PhantomData }
            }
        }

        impl<T: Clone + Send + Sync $(, $phantom)?> Clone for $name<T $(, $phantom)?> {
            fn clone(&self) -> Self {
                let state = match &self.state {
                    State::Unloaded(meta) => State::Unloaded(*meta),
                    State::Loaded(rows) => State::Loaded(Box::new(rows.get().to_vec())),
                };
                $name { state, marker: PhantomData }
            }
        }

        impl<T: fmt::Debug $(, $phantom)?> fmt::Debug for $name<T $(, $phantom)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match &self.state {
                    State::Unloaded(_) => f.write_str("(not loaded)"),
                    State::Loaded(rows) => f.debug_list().entries(rows.get()).finish(),
                }
            }
        }

        impl<T: PartialEq $(, $phantom)?> PartialEq for $name<T $(, $phantom)?> {
            /// Equal when both are loaded with equal rows, or both are not loaded.
            fn eq(&self, other: &Self) -> bool {
                match (&self.state, &other.state) {
                    (State::Loaded(a), State::Loaded(b)) => a.get() == b.get(),
                    (State::Unloaded(_), State::Unloaded(_)) => true,
                    _ => false,
                }
            }
        }
    };
}

relation_field! {
    /// Any number of rows that point at this one.
    HasMany<T>
}

relation_field! {
    /// Any number of rows that rows of the model `L` link with this one.
    ManyToMany<T, L>
}

relation_field! {
    /// One row that points at this one, or none.
    HasOne<T>
}

macro_rules! many {
    ($name:ident<T $(, $phantom:ident)?>) => {
        impl<T: Send + Sync $(, $phantom)?> $name<T $(, $phantom)?> {
            /// Loaded with these rows.
            #[must_use]
            pub fn loaded(rows: Vec<T>) -> Self {
                $name { state: State::Loaded(Box::new(rows)), marker: PhantomData }
            }
        }

        impl<T $(, $phantom)?> $name<T $(, $phantom)?> {
            /// The rows.
            ///
            /// # Errors
            /// `NotLoaded`, naming the relation and the call that loads it.
            pub fn get(&self) -> Result<&[T]> {
                self.state.get(stringify!($name))
            }

            /// The rows, to be changed in memory.
            ///
            /// # Errors
            /// `NotLoaded`.
            pub fn get_mut(&mut self) -> Result<&mut [T]> {
                self.state.get_mut(stringify!($name))
            }

            /// The rows, owned.
            ///
            /// # Errors
            /// `NotLoaded`.
            pub fn into_inner(self) -> Result<Vec<T>> {
                self.state.take(stringify!($name))
            }
        }

        impl<T: Send + Sync $(, $phantom)?> Fill<T> for $name<T $(, $phantom)?> {
            fn fill(&mut self, rows: Vec<T>, _: &'static RelationMeta) -> Result<()> {
                *self = $name::loaded(rows);
                Ok(())
            }
        }
    };
}

many!(HasMany<T>);
many!(ManyToMany<T, L>);

impl<T: Send + Sync> HasOne<T> {
    /// Loaded with this row, or with none.
    #[must_use]
    pub fn loaded(row: Option<T>) -> Self {
        HasOne { state: State::Loaded(Box::new(Vec::from_iter(row))), marker: PhantomData }
    }
}

impl<T> HasOne<T> {
    /// The row, if there is one.
    ///
    /// # Errors
    /// `NotLoaded`, naming the relation and the call that loads it.
    pub fn get(&self) -> Result<Option<&T>> {
        self.state.get("HasOne").map(<[T]>::first)
    }

    /// The row, owned.
    ///
    /// # Errors
    /// `NotLoaded`.
    pub fn into_inner(self) -> Result<Option<T>> {
        self.state.take("HasOne").map(|rows| rows.into_iter().next())
    }
}

impl<T: Send + Sync> Fill<T> for HasOne<T> {
    fn fill(&mut self, mut rows: Vec<T>, meta: &'static RelationMeta) -> Result<()> {
        if rows.len() > 1 {
            return Err(Error::new(ErrorKind::TooManyRows, format!("{} rows point here and one may", rows.len()))
                .with_model(meta.model)
                .with_field(meta.field)
                .with_help(format!("make {}.{} unique", meta.theirs.model, meta.theirs.field)));
        }
        *self = HasOne::loaded(rows.pop());
        Ok(())
    }
}

/// What a [`BelongsTo`] may point at: a model, or an `Option` of one when the foreign key may be NULL.
pub trait Target: Sized + Send + Sync + 'static {
    /// The model.
    type Model: Send + Sync + 'static;
    /// What `get` gives.
    type Ref<'a>;
    /// What `into_inner` gives.
    type Owned;

    /// The row as `get` gives it.
    ///
    /// # Errors
    /// `NotFound` when there must be one.
    fn lend<'a>(rows: &'a [Self::Model], meta: Option<&'static RelationMeta>) -> Result<Self::Ref<'a>>;

    /// The row as `into_inner` gives it.
    ///
    /// # Errors
    /// `NotFound` when there must be one.
    fn give(rows: Vec<Self::Model>) -> Result<Self::Owned>;

    /// Whether there may be none.
    const OPTIONAL: bool;
}

/// The row of a [`BelongsTo`], without its type. Its methods ask for a [`Target`], and the field's type does not:
/// a field that points at no model is then one error, where the model is described.
trait Pointed<T>: Send + Sync {
    fn get(&self) -> &[T::Model]
    where
        T: Target;
    fn take(self: Box<Self>) -> Vec<T::Model>
    where
        T: Target;
}

impl<T: Target> Pointed<T> for Vec<T::Model> {
    fn get(&self) -> &[T::Model] {
        self
    }

    fn take(self: Box<Self>) -> Vec<T::Model> {
        *self
    }
}

enum Pointer<T: 'static> {
    Unloaded(Option<&'static RelationMeta>),
    Loaded(Box<dyn Pointed<T>>),
}

/// The one row that this row points at. `BelongsTo<Option<T>>` where the foreign key may be NULL.
pub struct BelongsTo<T: 'static> {
    state: Pointer<T>,
    marker: PhantomData<fn() -> T>,
}

impl<T> BelongsTo<T> {
    /// Not loaded; the derive names the relation.
    #[must_use]
    pub const fn unloaded(meta: &'static RelationMeta) -> Self {
        BelongsTo { state: Pointer::Unloaded(Some(meta)), marker: PhantomData }
    }

    /// Whether it was loaded.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        matches!(self.state, Pointer::Loaded(_))
    }
}

impl<T: Target> BelongsTo<T> {
    /// The row.
    ///
    /// # Errors
    /// `NotLoaded`, naming the relation and the call that loads it.
    pub fn get(&self) -> Result<T::Ref<'_>> {
        match &self.state {
            Pointer::Loaded(rows) => T::lend(rows.get(), None),
            Pointer::Unloaded(meta) => Err(not_loaded(*meta, "BelongsTo")),
        }
    }

    /// The row, owned.
    ///
    /// # Errors
    /// `NotLoaded`.
    pub fn into_inner(self) -> Result<T::Owned> {
        match self.state {
            Pointer::Loaded(rows) => T::give(rows.take()),
            Pointer::Unloaded(meta) => Err(not_loaded(meta, "BelongsTo")),
        }
    }

    /// Loaded with this row.
    #[must_use]
    pub fn loaded(row: T::Model) -> Self {
        BelongsTo::with(vec![row])
    }

    fn with(rows: Vec<T::Model>) -> Self {
        BelongsTo { state: Pointer::Loaded(Box::new(rows)), marker: PhantomData }
    }
}

impl<T> Default for BelongsTo<T> {
    /// Not loaded.
    fn default() -> Self {
        BelongsTo { state: Pointer::Unloaded(None), marker: PhantomData }
    }
}

impl<T: Target> Clone for BelongsTo<T>
where
    T::Model: Clone,
{
    fn clone(&self) -> Self {
        match &self.state {
            Pointer::Unloaded(meta) => BelongsTo { state: Pointer::Unloaded(*meta), marker: PhantomData },
            Pointer::Loaded(rows) => BelongsTo::with(rows.get().to_vec()),
        }
    }
}

impl<T: Target> fmt::Debug for BelongsTo<T>
where
    T::Model: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            Pointer::Unloaded(_) => f.write_str("(not loaded)"),
            Pointer::Loaded(rows) => fmt::Debug::fmt(&rows.get().first(), f),
        }
    }
}

impl<T: Target> PartialEq for BelongsTo<T>
where
    T::Model: PartialEq,
{
    /// Equal when both are loaded with equal rows, or both are not loaded.
    fn eq(&self, other: &Self) -> bool {
        match (&self.state, &other.state) {
            (Pointer::Loaded(a), Pointer::Loaded(b)) => a.get() == b.get(),
            (Pointer::Unloaded(_), Pointer::Unloaded(_)) => true,
            _ => false,
        }
    }
}

impl<T: Target> Fill<T::Model> for BelongsTo<T> {
    fn fill(&mut self, rows: Vec<T::Model>, meta: &'static RelationMeta) -> Result<()> {
        if rows.is_empty() && !T::OPTIONAL {
            return Err(Error::new(ErrorKind::NotFound, "the row that it points at does not exist")
                .with_model(meta.model)
                .with_field(meta.field));
        }
        *self = BelongsTo::with(rows);
        Ok(())
    }
}

/// The error of a required target that is missing from a field filled by hand.
#[cold]
fn missing(meta: Option<&'static RelationMeta>) -> Error {
    let error = Error::new(ErrorKind::NotFound, "the row that it points at does not exist");
    match meta {
        Some(meta) => error.with_model(meta.model).with_field(meta.field),
        None => error,
    }
}

impl<M: crate::model::Model> Target for M {
    type Model = M;
    type Ref<'a> = &'a M;
    type Owned = M;

    const OPTIONAL: bool = false;

    fn lend<'a>(rows: &'a [M], meta: Option<&'static RelationMeta>) -> Result<&'a M> {
        rows.first().ok_or_else(|| missing(meta))
    }

    fn give(rows: Vec<M>) -> Result<M> {
        rows.into_iter().next().ok_or_else(|| missing(None))
    }
}

impl<M: crate::model::Model> Target for Option<M> {
    type Model = M;
    type Ref<'a> = Option<&'a M>;
    type Owned = Option<M>;

    const OPTIONAL: bool = true;

    fn lend<'a>(rows: &'a [M], _: Option<&'static RelationMeta>) -> Result<Option<&'a M>> {
        Ok(rows.first())
    }

    fn give(rows: Vec<M>) -> Result<Option<M>> {
        Ok(rows.into_iter().next())
    }
}
