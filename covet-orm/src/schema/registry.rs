//! Which models there are: those that registered themselves, or a list that is written out.

use covet_drivers::catalog::{Object, ObjectKind};
use covet_drivers::{Error, ErrorKind, Result};

use crate::model::{ModelMeta, Record};
use crate::schema::objects::declared;

/// A model that `#[derive(Model)]` made known.
#[derive(Clone, Copy, Debug)]
pub struct Registered(pub &'static ModelMeta);

inventory::collect!(Registered);

/// The registered model of a table.
pub(crate) fn model_of(table: &str) -> Option<&'static ModelMeta> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0).find(|model| model.table == table)
}

/// A set of models, and of [objects](crate::objects!) beside them, whose schema can be made and migrated to.
///
/// [`Models::registered`] has every model that is linked into the program;
/// [`models!`](crate::models!) is a list written out, for linkers that leave unused parts away.
/// The order never matters.
#[derive(Clone, Debug, Default)]
pub struct Models {
    models: Vec<&'static ModelMeta>,
    /// With the module of those that registered themselves.
    objects: Vec<(Object, Option<&'static str>)>,
}

impl Models {
    /// Every model and object that is linked into the program.
    #[must_use]
    pub fn registered() -> Self {
        let models = inventory::iter::<Registered>.into_iter().map(|registered| registered.0).collect();
        Models { models, objects: declared() }
    }

    /// Of these models and objects, those of a module and of the modules in it, by its path as `module_path!()` says it.
    #[must_use]
    pub fn of_module(mut self, path: &str) -> Self {
        let within = |rest: &str| rest.is_empty() || rest.starts_with("::");
        self.objects.retain(|(_, module)| module.and_then(|module| module.strip_prefix(path)).is_some_and(within));
        self.models.retain(|model| model.path.strip_prefix(path).is_some_and(|rest| rest.starts_with("::")));
        self
    }

    /// These and one more.
    #[must_use]
    pub fn with<M: Record>(mut self) -> Self {
        self.models.push(M::meta());
        self
    }

    /// These, and a view, trigger, function or extension.
    #[must_use]
    pub fn with_object(mut self, object: Object) -> Self {
        self.objects.push((object, None));
        self
    }

    /// Each object once, sorted.
    ///
    /// # Errors
    /// `Migration` when two are called the same.
    pub fn objects(&self) -> Result<Vec<Object>> {
        let mut objects: Vec<Object> = self.objects.iter().map(|(object, _)| object.clone()).collect();
        objects.sort_by(|a, b| (a.kind, &a.name, &a.table).cmp(&(b.kind, &b.name, &b.table)));
        objects.dedup();
        for pair in objects.windows(2) {
            if let [first, second] = pair
                && first.is(second)
            {
                let text = format!("two declarations of the {} {} say different things", first.kind.word(), first.name);
                return Err(Error::new(ErrorKind::Migration, text).with_help("take one of them away"));
            }
        }
        Ok(objects)
    }

    /// The models that have a table, each once, sorted by it: a model whose table is a declared view reads that.
    ///
    /// # Errors
    /// As [`Models::sorted`] and [`Models::objects`].
    pub(super) fn with_tables(&self) -> Result<Vec<&'static ModelMeta>> {
        let objects = self.objects()?;
        let mut models = self.sorted()?;
        models.retain(|model| {
            !objects.iter().any(|object| object.kind == ObjectKind::View && object.name == model.table)
        });
        Ok(models)
    }

    /// Each model once, sorted by table.
    ///
    /// # Errors
    /// `Migration` when two models have one table.
    pub fn sorted(&self) -> Result<Vec<&'static ModelMeta>> {
        let mut models = self.models.clone();
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
