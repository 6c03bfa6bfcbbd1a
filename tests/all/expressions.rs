//! Conditions, order, limits, projections, updates and deletes by filter.

use covet_orm::ErrorKind;
use covet_orm::prelude::*;
use covet_tests::models::{Category, Post, User};
use covet_tests::{TestDb, on_each_database};

use crate::crud::email;

async fn four_users(db: &TestDb) -> covet_orm::Result<()> {
    for (address, name, visits) in
        [("a@x", Some("Ann"), 1), ("b@x", None, 2), ("c@x", Some("Bob"), 3), ("d@x", Some(""), 4)]
    {
        let user = User::create().email(email(address)).visits(visits);
        user.name(name.map(str::to_owned)).exec(db).await?;
    }
    Ok(())
}

async fn matching(db: &TestDb, condition: Expr<User, bool>) -> covet_orm::Result<Vec<i32>> {
    User::query().filter(condition).order_by(User::visits.asc()).select(User::visits).all(db).await
}

fn wanted(name: &str) -> Expr<User, bool> {
    User::name.eq(name) | User::visits.gt(3)
}

on_each_database! {
    async fn comparisons(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let v = User::visits;
        assert_eq!(matching(db, v.eq(2)).await?, [2]);
        assert_eq!(matching(db, v.ne(2)).await?, [1, 3, 4]);
        assert_eq!(matching(db, v.lt(2)).await?, [1]);
        assert_eq!(matching(db, v.le(2)).await?, [1, 2]);
        assert_eq!(matching(db, v.gt(2)).await?, [3, 4]);
        assert_eq!(matching(db, v.ge(2)).await?, [2, 3, 4]);
        assert_eq!(matching(db, v.between(2, 3)).await?, [2, 3]);
        assert_eq!(matching(db, v.eq(User::visits)).await?, [1, 2, 3, 4]);
        assert_eq!(matching(db, v.gt(User::visits - 1)).await?, [1, 2, 3, 4]);
        Ok(())
    }

    async fn lists_and_null(db: &TestDb) -> Outcome {
        four_users(db).await?;
        assert_eq!(matching(db, User::visits.is_in([1, 4, 9])).await?, [1, 4]);
        assert_eq!(matching(db, User::visits.not_in([1, 4, 9])).await?, [2, 3]);
        assert_eq!(matching(db, User::visits.is_in(Vec::<i32>::new())).await?, Vec::<i32>::new());
        assert_eq!(matching(db, User::visits.not_in(Vec::<i32>::new())).await?, [1, 2, 3, 4]);
        assert_eq!(matching(db, User::name.is_null()).await?, [2]);
        assert_eq!(matching(db, User::name.is_not_null()).await?, [1, 3, 4]);
        assert_eq!(matching(db, User::name.ne("Ann")).await?, [3, 4], "NULL is not unequal");
        assert_eq!(matching(db, User::name.eq("")).await?, [4], "an empty text is not NULL");
        Ok(())
    }

    async fn a_nullable_column_beside_one_that_is_not(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        Post::create().author_id(ann.id).title("alone").exec(db).await?;
        Post::create().author_id(ann.id).title("both").editor_id(ann.id).exec(db).await?;
        let titles = async |condition: Expr<Post, bool>| {
            Post::query().filter(condition).order_by(Post::title.asc()).select(Post::title).all(db).await
        };
        assert_eq!(titles(Post::editor_id.eq(Post::author_id)).await?, ["both"]);
        assert_eq!(titles(Post::author_id.eq(Post::editor_id)).await?, ["both"], "NULL is equal to nothing");
        assert_eq!(titles(Post::author_id.lt(Post::editor_id + 1)).await?, ["both"]);
        assert_eq!(titles(Post::editor_id.lt(Post::editor_id + Some(1))).await?, ["both"]);
        assert_eq!(titles(Post::editor_id.le(Post::author_id + 0)).await?, ["both"]);
        let given = Post::query().update().set(Post::editor_id, Post::author_id);
        assert_eq!(given.exec(db).await?, 2);
        assert_eq!(titles(Post::editor_id.eq(Post::author_id)).await?, ["alone", "both"]);
        let reckoned = Post::query().update().set(Post::editor_id, Post::author_id + 0);
        assert_eq!(reckoned.exec(db).await?, 2);
        Ok(())
    }

    async fn and_or_not_and_lists_of_conditions(db: &TestDb) -> Outcome {
        four_users(db).await?;
        assert_eq!(matching(db, User::visits.gt(1) & User::visits.lt(4)).await?, [2, 3]);
        assert_eq!(matching(db, User::visits.eq(1) | User::visits.eq(4)).await?, [1, 4]);
        assert_eq!(matching(db, !(User::visits.eq(1) | User::visits.eq(4))).await?, [2, 3]);
        assert_eq!(matching(db, (User::visits.eq(1) | User::visits.eq(2)) & User::name.is_not_null()).await?, [1]);
        assert_eq!(matching(db, User::visits.eq(1) | User::visits.eq(2) & User::name.is_not_null()).await?, [1]);
        assert_eq!(matching(db, wanted("Bob") & User::visits.le(3)).await?, [3]);
        assert_eq!(matching(db, Expr::all([])).await?, [1, 2, 3, 4]);
        assert_eq!(matching(db, Expr::any([])).await?, Vec::<i32>::new());
        let dynamic: Vec<Expr<User, bool>> = (1..=3).map(|n| User::visits.eq(n)).collect();
        assert_eq!(matching(db, Expr::any(dynamic)).await?, [1, 2, 3]);
        assert_eq!(matching(db, Expr::constant(true) & Expr::constant(false)).await?, Vec::<i32>::new());
        Ok(())
    }

    async fn a_long_chain_of_conditions_is_no_deep_tree(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let mut condition = User::visits.eq(1);
        for n in 0..2_000 {
            condition = condition | User::visits.eq(n % 3);
        }
        assert_eq!(matching(db, condition).await?, [1, 2]);
        Ok(())
    }

    async fn conditions_that_are_nested_too_deep_are_refused(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let nested = |levels: i32| {
            let mut condition = User::visits.eq(1);
            for _ in 0..levels {
                condition = (condition & User::visits.ge(0)) | User::visits.eq(2);
            }
            condition
        };
        assert_eq!(matching(db, nested(40)).await?, [1, 2]);
        let mut sum = User::visits + 1;
        let mut right = User::visits + 1;
        let mut not = User::visits.eq(1);
        let mut through = User::posts.exists();
        for _ in 0..20_000 {
            sum = sum + 1;
            right = User::visits + right;
            not = !not;
            through = User::posts.any(Post::author.is(through));
        }
        for condition in [nested(20_000), not, through, User::visits.eq(sum), User::visits.eq(right)] {
            let error = matching(db, condition).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.to_string().contains("nested"), "{error}");
        }
        Ok(())
    }

    async fn order_with_nulls_is_the_same_everywhere(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let by = async |order| -> covet_orm::Result<Vec<i32>> {
            User::query().order_by(order).order_by(User::visits.asc()).select(User::visits).all(db).await
        };
        assert_eq!(by(User::name.asc()).await?, [2, 4, 1, 3]);
        assert_eq!(by(User::name.desc()).await?, [3, 1, 4, 2]);
        assert_eq!(by(User::name.asc().nulls_last()).await?, [4, 1, 3, 2]);
        assert_eq!(by(User::name.desc().nulls_first()).await?, [2, 3, 1, 4]);
        assert_eq!(by(User::active.asc()).await?, [1, 2, 3, 4]);
        Ok(())
    }

    async fn limit_offset_first_one_optional(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let all = || User::query().order_by(User::visits.asc());
        let visits = |users: Vec<User>| users.into_iter().map(|user| user.visits).collect::<Vec<_>>();
        assert_eq!(visits(all().limit(2).all(db).await?), [1, 2]);
        assert_eq!(visits(all().limit(2).offset(1).all(db).await?), [2, 3]);
        assert_eq!(visits(all().offset(3).all(db).await?), [4]);
        assert_eq!(visits(all().limit(0).all(db).await?), Vec::<i32>::new());
        assert_eq!(all().first(db).await?.map(|user| user.visits), Some(1));
        assert_eq!(all().offset(1).first(db).await?.map(|user| user.visits), Some(2));
        assert_eq!(all().limit(0).first(db).await?, None);
        assert_eq!(all().one(db).await.unwrap_err().kind(), ErrorKind::TooManyRows);
        assert_eq!(all().limit(1).one(db).await?.visits, 1);
        assert_eq!(all().filter(User::visits.eq(9)).one(db).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(all().filter(User::visits.eq(9)).optional(db).await?, None);
        Ok(())
    }

    async fn count_and_exists(db: &TestDb) -> Outcome {
        four_users(db).await?;
        assert_eq!(User::query().count(db).await?, 4);
        assert_eq!(User::query().filter(User::visits.gt(2)).count(db).await?, 2);
        assert_eq!(User::query().order_by(User::name.asc()).limit(3).offset(2).count(db).await?, 2);
        assert!(User::query().filter(User::visits.eq(4)).exists(db).await?);
        assert!(!User::query().filter(User::visits.eq(5)).exists(db).await?);
        assert_eq!(Post::query().count(db).await?, 0);
        Ok(())
    }

    async fn projections(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let rows = User::query().order_by(User::visits.desc()).limit(2).select((User::visits, User::name, User::active)).all(db).await?;
        assert_eq!(rows, [(4, Some(String::new()), true), (3, Some("Bob".into()), true)]);
        assert_eq!(User::query().filter(User::visits.eq(2)).select(User::name).one(db).await?, None);
        assert_eq!(User::query().filter(User::visits.eq(7)).select(User::name).first(db).await?, None);
        Ok(())
    }

    async fn update_by_filter_with_arithmetic(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let n = User::query().filter(User::visits.le(2)).update().set(User::visits, User::visits * 10 + 1).set(User::name, "x").exec(db).await?;
        assert_eq!(n, 2);
        assert_eq!(matching(db, User::name.eq("x")).await?, [11, 21]);
        assert_eq!(User::query().update().set(User::active, true).exec(db).await?, 4, "rows that were so already count");
        assert_eq!(User::query().filter(User::visits.eq(999)).update().set(User::active, true).exec(db).await?, 0);
        let error = User::query().update().exec(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = User::query().limit(1).update().set(User::active, false).exec(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "a limit is never dropped in silence");
        Ok(())
    }

    async fn assignments_read_the_row_as_it_was(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let mut user = User::query().filter(User::visits.eq(3)).one(db).await?;
        user.update().set(User::visits, User::visits + 1).exec(db).await?;
        let post = |views: i64| Post::create().author_id(user.id).title("t").views(views).editor_id(user.id);
        post(5).exec(db).await?;
        // Written before and after the column that it reads: MySQL would read what was just written.
        Post::query().update().set(Post::views, Post::author_id * 2).set(Post::author_id, Post::author_id + 0).exec(db).await?;
        Post::query().update().set(Post::author_id, Post::author_id + 0).set(Post::views, Post::author_id * 3).exec(db).await?;
        assert_eq!(Post::query().one(db).await?.views, user.id * 3);
        let swapped = Post::query().update().set(Post::views, Post::author_id + 0).set(Post::author_id, Post::views - user.id * 2).exec(db).await;
        match swapped {
            Ok(_) => assert_eq!(Post::query().select((Post::views, Post::author_id)).one(db).await?, (user.id, user.id)),
            Err(error) => assert_eq!((error.kind(), db.kind().name()), (ErrorKind::Unsupported, "mysql"), "{error}"),
        }
        Ok(())
    }

    async fn update_returning_where_the_database_has_it(db: &TestDb) -> Outcome {
        four_users(db).await?;
        let result = User::query().filter(User::visits.gt(2)).update().set(User::visits, User::visits + 10).returning(db).await;
        if db.capabilities().returning_on_update {
            let mut visits: Vec<i32> = result?.into_iter().map(|user| user.visits).collect();
            visits.sort_unstable();
            assert_eq!(visits, [13, 14]);
        } else {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(db.kind().name()), "{error}");
            assert_eq!(matching(db, User::visits.gt(2)).await?, [3, 4], "nothing was sent");
        }
        Ok(())
    }

    async fn delete_by_filter(db: &TestDb) -> Outcome {
        four_users(db).await?;
        assert_eq!(User::query().filter(User::name.is_null()).delete().exec(db).await?, 1);
        let gone = User::query().filter(User::visits.gt(2)).delete().returning(db).await?;
        let mut visits: Vec<i32> = gone.into_iter().map(|user| user.visits).collect();
        visits.sort_unstable();
        assert_eq!(visits, [3, 4]);
        assert_eq!(matching(db, Expr::constant(true)).await?, [1]);
        assert_eq!(User::query().delete().exec(db).await?, 1);
        let error = User::query().limit(1).delete().exec(db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        Ok(())
    }

    async fn delete_and_update_through_a_relation(db: &TestDb) -> Outcome {
        let ann = User::create().email(email("a@x")).exec(db).await?;
        let bob = User::create().email(email("b@x")).active(false).exec(db).await?;
        for author in [ann.id, bob.id] {
            Post::create().author_id(author).title("t").exec(db).await?;
        }
        let n = Post::query().filter(Post::author.at(User::active).eq(false)).update().set(Post::title, "inactive").exec(db).await?;
        assert_eq!(n, 1);
        assert_eq!(Post::query().filter(Post::author.at(User::active).eq(false)).delete().exec(db).await?, 1);
        assert_eq!(Post::query().one(db).await?.author_id, ann.id);
        Ok(())
    }

    async fn an_update_that_reads_its_own_table(db: &TestDb) -> Outcome {
        let root = Category::create().name("root").exec(db).await?;
        Category::create().name("leaf").parent_id(root.id).exec(db).await?;
        let result = Category::query().filter(Category::parent.at(Category::name).eq("root")).update().set(Category::name, "x").exec(db).await;
        match result {
            Ok(n) => assert_eq!(n, 1),
            Err(error) => assert_eq!((error.kind(), db.kind().name()), (ErrorKind::Unsupported, "mysql"), "{error}"),
        }
        Ok(())
    }
}
