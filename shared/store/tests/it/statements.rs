//! The statements of `sql/`: each file is used, has the comments that readers need, fits the schema that it names, and is planned with
//! the rules of the migrations in their place.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use docket_store::shards::schema::Schema;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::fixture::Fixture;

/// Functions of the schemas that are called as they are; the text of every other one is to stand in the plan.
const CALLED: [&str; 2] = ["docket_fence", "docket_history"];

/// One file.
struct Statement {
    /// Its path below `sql/`, without the ending.
    name: String,
    text: String,
}

impl Statement {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
        let statements = files(&folder, "sql").into_iter().map(|file| {
            let name = file.strip_prefix(&folder).unwrap().with_extension("");
            Self {
                name: name.to_str().unwrap().replace('\\', "/"),
                text: fs::read_to_string(&file).unwrap(),
            }
        });
        statements.collect()
    }

    /// The schemas that the first line names, which names the file, too.
    fn schemas(&self) -> &'static [Schema] {
        let first = self.text.lines().next().unwrap_or_default();
        match first.strip_prefix("-- ").and_then(|rest| rest.split_once(": ")) {
            Some(("shard", name)) if name == self.name => &[Schema::Shard],
            Some(("catalog", name)) if name == self.name => &[Schema::Catalog],
            Some(("both", name)) if name == self.name => &[Schema::Shard, Schema::Catalog],
            _ => panic!(
                "{} begins with `-- shard: {}`, not with {first:?}",
                self.name, self.name
            ),
        }
    }

    /// Types of the parameters, as the comment says them: `-- $1 bucket, smallint: the client's`.
    fn parameter_types(&self) -> Vec<&str> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix("-- $"));
        let types = lines.zip(1..).map(|(line, number)| {
            let parameter = line
                .split(": ")
                .next()
                .and_then(|line| line.strip_prefix(&format!("{number} ")));
            let parameter = parameter.and_then(|parameter| parameter.split_once(", "));
            let (_name, of) =
                parameter.unwrap_or_else(|| panic!("{}: a parameter without name or type: {line}", self.name));
            of
        });
        types.collect()
    }
}

/// Files below a folder with this ending, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

async fn connect(fixture: &Fixture, schema: Schema) -> PgConnection {
    let url = match schema {
        Schema::Catalog => &fixture.world.catalog_url,
        Schema::Shard => &fixture.world.shards[0].1,
    };
    PgConnection::connect(url).await.unwrap()
}

#[test]
fn every_file_is_used_and_every_used_file_is_there() {
    let sources = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "rs");
    let sources: Vec<String> = sources.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let names = |source| {
        str::split(source, "sql!(\"")
            .skip(1)
            .filter_map(|rest: &str| rest.split('"').next())
    };
    let used: BTreeSet<&str> = sources.iter().flat_map(|source| names(source)).collect();
    let statements = Statement::all();
    let there: BTreeSet<&str> = statements.iter().map(|statement| statement.name.as_str()).collect();
    assert_eq!(there, used);
}

#[test]
fn a_comment_stands_above_every_with_query() {
    for Statement { name, text } in Statement::all() {
        let mut above = "";
        for line in text.lines() {
            let begins = line.ends_with(" as (") && !line.starts_with("--");
            assert!(!begins || above.starts_with("--"), "{name}: {line}");
            above = line;
        }
    }
}

#[tokio::test]
async fn every_statement_has_the_parameters_that_its_comment_says() {
    let fixture = Fixture::direct().await;
    for schema in [Schema::Catalog, Schema::Shard] {
        let mut connection = connect(&fixture, schema).await;
        for statement in Statement::all() {
            if !statement.schemas().contains(&schema) {
                continue;
            }
            let name = &statement.name;
            let prepare = AssertSqlSafe(format!("prepare this as {}", statement.text));
            let prepared = sqlx::raw_sql(prepare).execute(&mut connection).await;
            prepared.unwrap_or_else(|error| panic!("{name} on {schema:?}: {error}"));
            let query = sqlx::query_as(
                "select parameter_types::text[], $1::text[]::regtype[]::text[] from pg_prepared_statements where name = 'this'",
            );
            let query = query.bind(statement.parameter_types());
            let (found, told): (Vec<String>, Vec<String>) = query.fetch_one(&mut connection).await.unwrap();
            assert_eq!(
                found, told,
                "{name} on {schema:?}: types that it has, types that its comment says"
            );
            sqlx::raw_sql("deallocate this").execute(&mut connection).await.unwrap();
        }
    }
}

/// A function that PostgreSQL calls, instead of putting its text into the statement, hides what an index could do.
#[tokio::test]
async fn rules_in_functions_and_views_leave_indexes_usable() {
    let fixture = Fixture::direct().await;
    for schema in [Schema::Catalog, Schema::Shard] {
        let mut connection = connect(&fixture, schema).await;
        // The tables are empty, and PostgreSQL would read them as a whole.
        let off = "set enable_seqscan = off; set enable_bitmapscan = off";
        sqlx::raw_sql(off).execute(&mut connection).await.unwrap();
        for statement in Statement::all() {
            if !statement.schemas().contains(&schema) {
                continue;
            }
            let name = &statement.name;
            let explain = AssertSqlSafe(format!("explain (generic_plan, verbose) {}", statement.text));
            let rows = sqlx::raw_sql(explain).fetch_all(&mut connection).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("\n");
            let calls = plan.match_indices("docket_").map(|(at, _)| &plan[at..]);
            let calls: BTreeSet<&str> = calls
                .filter_map(|rest| rest.split_once('('))
                .map(|(call, _)| call)
                .collect();
            let hidden: Vec<_> = calls
                .into_iter()
                .filter(|call| is_name(call) && !CALLED.contains(call))
                .collect();
            assert!(hidden.is_empty(), "{name} calls {hidden:?}\n{plan}");
            let index = match name.as_str() {
                "operate/dead_list" | "operate/dead_oldest" | "operate/dead_locate" | "operate/dead_find" => {
                    "jobs_dead"
                }
                "operate/parked_list" | "operate/parked_oldest" => "parked_messages_pkey",
                _ => continue,
            };
            assert!(
                plan.contains(&format!(" using {index} on ")),
                "{name} without {index}\n{plan}"
            );
        }
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())
}
