//! What becomes of a schema: models, enums and relations with their names, before anything is written.

use std::collections::BTreeMap;

use covet_drivers::catalog::{EnumType, ForeignKey, Qualified, Schema, Table, constraint_name};

use crate::cli::pull::names::{Scope, plural, snake, words};
use crate::schema::{Unsayable, unsayable};

/// All of it.
#[derive(Debug)]
pub(super) struct Plan<'s> {
    pub(super) enums: Vec<Enum<'s>>,
    pub(super) models: Vec<Model<'s>>,
}

/// An enum.
#[derive(Debug)]
pub(super) struct Enum<'s> {
    pub(super) ty: &'s EnumType,
    pub(super) name: String,
    /// The variants, in the order of the labels.
    pub(super) variants: Vec<String>,
}

/// A model, or what stands in its place as a comment.
#[derive(Debug)]
pub(super) struct Model<'s> {
    pub(super) table: &'s Table,
    pub(super) name: String,
    /// The columns, as positions, and the names of their fields: those of the key in its order.
    pub(super) fields: Vec<(usize, String)>,
    pub(super) relations: Vec<Relation>,
    pub(super) lacks: Unsayable,
}

/// A field that is a relation.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) field: String,
    /// The type, as `BelongsTo<User>`.
    pub(super) ty: String,
    /// The attributes, as `by = author_id`.
    pub(super) attributes: Vec<String>,
}

impl Model<'_> {
    /// The field of a column.
    pub(super) fn field(&self, column: &str) -> Option<&str> {
        let is_it = |at: usize| self.table.columns.get(at).is_some_and(|known| known.name == column);
        self.fields.iter().find(|(at, _)| is_it(*at)).map(|(_, field)| field.as_str())
    }

    /// The foreign keys that stand at a column: the first of each.
    pub(super) fn keys_of_columns(&self) -> BTreeMap<&str, &ForeignKey> {
        let mut keys = BTreeMap::new();
        for key in &self.table.foreign_keys {
            if let ([column], false) = (key.columns.as_slice(), self.lacks.foreign_keys.contains_key(&key.name)) {
                let usual = constraint_name(&self.table.name, &[column], "fkey");
                // The one that has the usual name goes first.
                if key.name == usual || !keys.contains_key(column.as_str()) {
                    keys.insert(column.as_str(), key);
                }
            }
        }
        keys
    }

    /// Whether there is a model.
    pub(super) fn is_there(&self) -> bool {
        self.lacks.table.is_none()
    }

    /// Whether at most one row has this value in this column.
    fn is_unique(&self, column: &str) -> bool {
        self.table.is_unique(&[column.to_owned()])
    }

    /// The two columns of a table that does nothing but join two others.
    fn joins(&self) -> Option<[(&str, &ForeignKey); 2]> {
        let keys: Vec<(&str, &ForeignKey)> = self.keys_of_columns().into_iter().collect();
        let [a, b] = keys.as_slice() else { return None };
        let key = &self.table.primary_key;
        let whole = self.table.columns.len() == 2 && key.len() == 2 && key.iter().all(|c| c == a.0 || c == b.0);
        (whole && a.1.target != b.1.target).then_some([*a, *b])
    }
}

/// Gives everything its name.
pub(super) fn plan(schema: &Schema) -> Plan<'_> {
    let mut types = Scope::types();
    let mut lacks = unsayable(schema);
    let mut models: Vec<Model<'_>> = Vec::new();
    let mut scopes = Vec::new();
    let tables: Vec<&str> = schema.tables.iter().map(|table| table.name.as_str()).collect();
    for table in &schema.tables {
        let mut scope = Scope::default();
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let names = scope.columns(&columns);
        let fields = in_order_of_key(table).into_iter().filter_map(|at| Some((at, names.get(at)?.clone()))).collect();
        let lacks = lacks.remove(&table.name).unwrap_or_default();
        models.push(Model {
            table,
            name: types.model(&named(&table.name, &tables)),
            fields,
            relations: Vec::new(),
            lacks,
        });
        scopes.push(scope);
    }
    let relations = relations(&models, &mut scopes);
    for (model, relations) in models.iter_mut().zip(relations) {
        model.relations = relations;
    }
    let said = |ty: &&EnumType| {
        models.iter().any(|model| {
            let columns = model.table.columns.iter().filter(|column| !model.lacks.columns.contains_key(&column.name));
            columns.filter_map(|column| column.ty.as_enum()).any(|known| known == *ty)
        })
    };
    let mut enums: Vec<&EnumType> =
        schema.tables.iter().flat_map(|table| &table.columns).filter_map(|column| column.ty.as_enum()).collect();
    enums.retain(said);
    enums.sort_by(|a, b| a.name.cmp(&b.name));
    enums.dedup();
    let all: Vec<&str> = enums.iter().map(|ty| &*ty.name).collect();
    let enums = enums
        .into_iter()
        .map(|ty| {
            let mut labels = Scope::default();
            Enum {
                ty,
                name: types.db_enum(&named(&ty.name, &all)),
                variants: ty.labels.iter().map(|l| labels.variant(l)).collect(),
            }
        })
        .collect();
    Plan { enums, models }
}

/// What something is named after: its name, behind that of its schema where another has the same.
fn named(name: &str, all: &[&str]) -> String {
    let of = Qualified::of(name);
    match of.schema.as_ref().filter(|_| all.iter().any(|other| *other != name && Qualified::of(other).name == of.name))
    {
        Some(schema) => format!("{schema}_{}", of.name),
        None => of.name.into_owned(),
    }
}

/// The columns as positions: a key of several columns is made of fields in their order.
fn in_order_of_key(table: &Table) -> Vec<usize> {
    let at = |name: &String| table.columns.iter().position(|column| column.name == *name);
    let mut key = table.primary_key.iter().filter_map(at);
    let is_key = |at: usize| table.columns.get(at).is_some_and(|column| table.primary_key.contains(&column.name));
    (0..table.columns.len()).map(|at| if is_key(at) { key.next().unwrap_or(at) } else { at }).collect()
}

/// The relations of each model, in the order of the models.
fn relations(models: &[Model<'_>], scopes: &mut [Scope]) -> Vec<Vec<Relation>> {
    let place = |table: &str| models.iter().position(|model| model.table.name == table && model.is_there());
    let mut all: Vec<Vec<Relation>> = models.iter().map(|_| Vec::new()).collect();
    let mut give = |at: usize, names: &[String], ty: String, attributes: &dyn Fn(&str) -> Vec<String>| {
        if let (Some(scope), Some(relations)) = (scopes.get_mut(at), all.get_mut(at)) {
            let field = scope.relation(names);
            let attributes = attributes(&field);
            relations.push(Relation { field, ty, attributes });
        }
    };
    // Those that a row has itself come first, for every model; then those by which others point at it.
    for (at, model) in models.iter().enumerate().filter(|(_, model)| model.is_there()) {
        for (column, key) in in_order_of_columns(model) {
            let Some(target) = place(&key.target).and_then(|at| models.get(at)) else { continue };
            let Some(field) = model.field(column) else { continue };
            let nullable = model.table.column(column).is_some_and(|column| column.nullable);
            let ty = if nullable { format!("Option<{}>", target.name) } else { target.name.clone() };
            let name = named_after(field, &target.name);
            let names = [name.clone(), format!("{name}_row"), format!("{field}_row")];
            give(at, &names, format!("BelongsTo<{ty}>"), &|relation| {
                let usual = format!("{relation}_id") == field;
                if usual { Vec::new() } else { vec![format!("by = {}", super::names::written(field))] }
            });
        }
    }
    for model in models.iter().filter(|model| model.is_there()) {
        if let Some([a, b]) = model.joins() {
            for ((own, here), (other, there)) in [(a, b), (b, a)] {
                let (Some(at), Some(target)) = (place(&here.target), place(&there.target)) else { continue };
                let (Some(holder), Some(target)) = (models.get(at), models.get(target)) else { continue };
                // What a join points at is a key; two columns of a join may point at one that is not.
                if holder.table.primary_key.len() > 1 || own == other {
                    continue;
                }
                let many = plural(&snake(&target.name));
                let names = [many.clone(), format!("{many}_by_{}", snake(&model.name))];
                give(at, &names, format!("ManyToMany<{}, {}>", target.name, model.name), &|_| Vec::new());
            }
            continue;
        }
        let keys = in_order_of_columns(model);
        for (column, key) in &keys {
            let Some(at) = place(&key.target) else { continue };
            let Some(field) = model.field(column) else { continue };
            if models.get(at).is_none_or(|target| target.table.primary_key.len() > 1) {
                continue;
            }
            let several = keys.iter().filter(|(_, other)| other.target == key.target).count() > 1;
            let own = snake(&model.name);
            let one = model.is_unique(column);
            let many = if one { own } else { plural(&own) };
            let by = words(field).into_iter().filter(|word| word != "id").collect::<Vec<_>>().join("_");
            let told = format!("{many}_by_{by}");
            let names = if several || key.target == model.table.name { vec![told] } else { vec![many, told] };
            let kind = if one { "HasOne" } else { "HasMany" };
            give(at, &names, format!("{kind}<{}>", model.name), &|_| {
                if several { vec![format!("by = {}", super::names::written(field))] } else { Vec::new() }
            });
        }
    }
    all
}

/// The foreign keys of single columns, in the order of the columns.
fn in_order_of_columns<'m>(model: &'m Model<'_>) -> Vec<(&'m str, &'m ForeignKey)> {
    let keys = model.keys_of_columns();
    let in_order = model.table.columns.iter().map(|column| column.name.as_str());
    in_order.filter_map(|name| Some((name, *keys.get(name)?))).collect()
}

/// What a foreign key's row is called: `author` for `author_id`.
fn named_after(field: &str, target: &str) -> String {
    let mut words = words(field);
    if words.len() > 1 && words.last().is_some_and(|last| last == "id") {
        words.pop();
        return words.join("_");
    }
    snake(target)
}
