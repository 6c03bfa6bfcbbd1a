//! Names of a user's own that stand in the way of those of the prelude and of generated code.

use covet_tests::on_each_database;

use shadowing::{Access, CreateOption, Level, Option};

/// Here `None`, `Some`, `Ok`, `Err` and `Option` are something else.
mod shadowing {
    use covet_orm::prelude::{DbEnum, DbNewtype, Json, Model};
    use serde::{Deserialize, Serialize};

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    pub(super) enum Access {
        None,
        Some,
        Ok,
        Err,
    }

    #[allow(unused_imports)] // what the derives write must not mean these
    use Access::*;

    #[derive(DbNewtype, Clone, Copy, Debug, PartialEq)]
    pub(super) struct Level(pub(super) i32);

    /// Named like the builder of the model.
    #[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
    pub(super) struct CreateOption {
        pub(super) text: std::string::String,
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    #[covet(index(access, level, name = "of_options"))]
    pub(super) struct Option {
        #[covet(key)]
        pub(super) id: i64,
        #[covet(max_len = 9, default = "x")]
        pub(super) name: std::string::String,
        #[covet(default = Access::None)]
        pub(super) access: Access,
        pub(super) level: Level,
        pub(super) payload: Json<CreateOption>,
        #[covet(version)]
        pub(super) version: i64,
    }
}

on_each_database! {
    async fn a_models_names_are_its_own(db: &TestDb) -> Outcome {
        use covet_orm::prelude::{Json, Model as _};
        let payload = Json(CreateOption { text: "t".into() });
        let made = Option::create().level(Level(1)).payload(payload.clone()).exec(db).await?;
        assert_eq!((made.access, made.name.as_str(), made.version), (Access::None, "x", 1));
        let mut found = Option::find(made.id).one(db).await?;
        assert_eq!(found, made);
        found.update().set(Option::access, Access::Err).set(Option::level, Level(2)).exec(db).await?;
        let wanted = Option { access: Access::Err, level: Level(2), version: 2, payload, ..made };
        assert_eq!(Option::query().filter(Option::access.eq(Access::Err)).all(db).await?, [wanted]);
        assert_eq!(Option::query().filter(Option::access.is_in([Access::Some, Access::Ok])).count(db).await?, 0);
        Ok(())
    }
}
