//! Which models there are: those that registered themselves, or a list that is written out.

use covet_drivers::{Error, ErrorKind, Result};

use crate::model::{ModelMeta, Record};

/// A model that `#[derive(Model)]` made known.
#[derive(Clone, Copy, Debug)]
pub struct Registered(pub &'static ModelMeta);

inventory::collect!(Registered);

/// The registered model of a table.
pub(crate) fn model_of(table: &str) -> Option<&'static ModelMeta> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0).find(|model| model.table == table)
}

/// A set of models, whose schema can be made and migrated to.
///
/// [`Models::registered`] has every model that is linked into the program;
/// [`models!`](crate::models!) is a list written out, for linkers that leave unused parts away.
/// The order never matters.
#[derive(Clone, Debug, Default)]
pub struct Models(Vec<&'static ModelMeta>);

impl Models {
    /// Every model that is linked into the program.
    #[must_use]
    pub fn registered() -> Self {
        Models(inventory::iter::<Registered>.into_iter().map(|registered| registered.0).collect())
    }

    /// These and one more.
    #[must_use]
    pub fn with<M: Record>(mut self) -> Self {
        self.0.push(M::meta());
        self
    }

    /// Each model once, sorted by table.
    ///
    /// # Errors
    /// `Migration` when two models have one table.
    pub fn sorted(&self) -> Result<Vec<&'static ModelMeta>> {
        let mut models = self.0.clone();
        models.sort_by_key(|model| (model.table, model.path));
        models.dedup_by_key(|model| (model.table, model.path));
        for pair in models.windows(2) {
            if let [first, second] = pair
                && first.table == second.table
            {
                return Err(Error::new(
                    ErrorKind::Migration,
                    format!("the models {} and {} both have the table {}", first.path, second.path, first.table),
                )
                .with_help("give one of them another name with `#[covet(table = \"…\")]`"));
            }
        }
        Ok(models)
    }
}

/// A list of models, written out: `models![User, blog::Post]`.
///
/// Two models on one table are an error where the list is used.
#[macro_export]
macro_rules! models {
    ($($model:ty),* $(,)?) => {
        <$crate::schema::Models as ::core::default::Default>::default()$(.with::<$model>())*
    };
}
