//! A shard on a test's own PostgreSQL, to back up, lose and restore. Backups are made by PostgreSQL's `pg_basebackup`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use docket_local::deps::Deps;
use docket_local::postgres::{Admin, Cluster, ClusterOptions, Endpoint};
use docket_local::{poll, ports};
use sqlx::{Connection, PgConnection};
use tokio::process::Command;

/// Name of the shard's database.
const DATABASE: &str = "docket";
/// How long the processes of a killed cluster may take to end.
const LOSS_MAX: Duration = Duration::from_secs(20);

/// A cluster, running or lost, with its backup.
pub struct OwnShard {
    endpoint: Endpoint,
    folder: PathBuf,
    owner: PathBuf,
    programs: PathBuf,
    cluster: Option<Cluster>,
}

impl OwnShard {
    /// Makes a cluster with an empty database.
    pub async fn start() -> Self {
        let owner = docket_testing::stack().await.state.clone();
        let state = docket_testing::checkout().state().expect("the checkout has its state");
        let programs = Deps::ensure(&state)
            .await
            .expect("PostgreSQL is installed")
            .postgres_programs;
        let id = uuid::Uuid::new_v4().simple().to_string();
        let mut shard = Self {
            endpoint: endpoint(),
            folder: owner.join("own-shards").join(&id[..12]),
            owner,
            programs,
            cluster: None,
        };
        shard.cluster = Some(Cluster::start(shard.options(&shard.endpoint)).await.expect("it starts"));
        let mut admin = Admin::connect(&shard.endpoint, "postgres").await.expect("it answers");
        admin.create(DATABASE).await.expect("a database can be made");
        shard
    }

    /// `postgres://` URL of the database.
    pub fn url(&self) -> String {
        self.endpoint.url(DATABASE)
    }

    /// Takes a base backup, with the write-ahead log that the backup needs.
    pub async fn back_up(&self) {
        let backup = Command::new(self.programs.join("pg_basebackup"))
            .arg("--pgdata")
            .arg(self.backup())
            .args(["--wal-method=stream", "--checkpoint=fast", "--dbname"])
            .arg(self.endpoint.url("postgres"))
            .output();
        let output = backup.await.expect("pg_basebackup runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Loses the cluster: kills its processes and deletes its data.
    pub async fn lose(&mut self) {
        let cluster = self.cluster.take().expect("it runs");
        cluster.kill9().await;
        // The last processes may write on for a moment.
        let deleted = poll::until("delete a cluster", LOSS_MAX, async || {
            Ok(fs::remove_dir_all(&self.folder).ok())
        });
        deleted.await.expect("its data can be deleted");
    }

    /// Restores the backup and starts the cluster, as if the restore had taken five minutes.
    pub async fn restore(&mut self) {
        fs::rename(self.backup(), &self.folder).expect("the backup can be moved");
        // First on another port, where nobody finds the cluster.
        let aside = endpoint_like(&self.endpoint);
        let cluster = Cluster::start(self.options(&aside)).await.expect("the backup starts");
        let mut connection = PgConnection::connect(&aside.url(DATABASE)).await.expect("it answers");
        sqlx::query("update leases set until = until - interval '5 min'")
            .execute(&mut connection)
            .await
            .expect("the rows can be updated");
        connection.close().await.expect("it can be left");
        cluster.stop().await;
        let cluster = Cluster::start(self.options(&self.endpoint)).await;
        self.cluster = Some(cluster.expect("the backup starts in its place"));
    }

    fn backup(&self) -> PathBuf {
        self.folder.with_extension("backup")
    }

    fn options(&self, endpoint: &Endpoint) -> ClusterOptions {
        ClusterOptions {
            folder: self.folder.clone(),
            owner: self.owner.clone(),
            programs: self.programs.clone(),
            endpoint: endpoint.clone(),
            durable: false,
        }
    }
}

impl Drop for OwnShard {
    fn drop(&mut self) {
        drop(self.cluster.take());
        for folder in [self.folder.clone(), self.backup()] {
            let _ = fs::remove_dir_all(folder); // The rest lies in the tests' state folder.
        }
    }
}

fn endpoint() -> Endpoint {
    Endpoint {
        name: "s1".into(),
        port: ports::pick().expect("there is a free port"),
        user: "docket".into(),
        password: uuid::Uuid::new_v4().simple().to_string(),
    }
}

/// The same endpoint on another port.
fn endpoint_like(of: &Endpoint) -> Endpoint {
    Endpoint {
        port: ports::pick().expect("there is a free port"),
        ..of.clone()
    }
}
