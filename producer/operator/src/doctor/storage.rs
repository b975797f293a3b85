//! The bucket, and the models in it.

use docket_contract::ids::{ModelRef, ModelVersion};
use docket_contract::model_defaults::ModelDefaults;
use docket_contract::object_key::BlobKey;
use docket_objects::inspect::Refusal;
use docket_objects::{BlobConfig, BlobStore};
use docket_process::telemetry::chain;
use uuid::Uuid;

use crate::doctor::clock;
use crate::doctor::report::Finding;
use docket_objects::published::{Lookup, Models};

/// The content of the object that is stored and read back.
const PROBE: &[u8] = b"docket-producer doctor";
const PART: &str = "storage";

/// Examines the bucket, and whether it has the default models.
pub async fn examine(config: &BlobConfig, models: Option<&ModelDefaults>) -> Vec<Finding> {
    let blobs = BlobStore::connect(config).await;
    let key = BlobKey::from_stored(format!("doctor/{}", Uuid::new_v4()));
    let (stored, ahead) = blobs.try_store(&key, PROBE.into()).await;
    let mut findings: Vec<Finding> = ahead
        .and_then(|ahead| clock::storage(PART, ahead))
        .into_iter()
        .collect();
    if let Err(refusal) = stored {
        findings.push(refused(config, &refusal));
        return findings;
    }
    let tried = [
        blobs.try_read(&key).await.map(drop),
        blobs.try_list().await,
        blobs.try_remove(&key).await,
        blobs.try_parts(&key).await,
    ];
    let refusals: Vec<&Refusal> = tried.iter().filter_map(|tried| tried.as_ref().err()).collect();
    findings.extend(refusals.iter().map(|refusal| refused(config, refusal)));
    if refusals.is_empty() {
        let what = format!(
            "bucket {} takes, gives, lists and removes objects, in parts too",
            config.bucket
        );
        findings.push(Finding::ok(PART, what));
    }
    findings.push(lifecycle(&blobs).await);
    for model in models.into_iter().flat_map(ModelDefaults::all) {
        findings.push(published(&blobs, model).await);
    }
    findings
}

/// Why the store refuses, in an operator's words.
fn refused(config: &BlobConfig, refusal: &Refusal) -> Finding {
    let what = chain(refusal);
    let bucket = &config.bucket;
    let remedy = match refusal.code.as_deref() {
        Some("NoSuchBucket") => format!("create bucket {bucket}, or correct DOCKET_S3_BUCKET"),
        Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken") => {
            "correct DOCKET_S3_ACCESS_KEY and DOCKET_S3_SECRET_KEY, or what AWS's own chain finds".to_owned()
        }
        Some("RequestTimeTooSkewed") => "set this machine's clock right (chrony, systemd-timesyncd)".to_owned(),
        Some("AccessDenied" | "Forbidden") => format!(
            "let the credentials do s3:PutObject, GetObject, DeleteObject, AbortMultipartUpload on {bucket}/* and s3:ListBucket on {bucket}"
        ),
        Some("PermanentRedirect" | "AuthorizationHeaderMalformed") => "correct DOCKET_S3_REGION".to_owned(),
        Some(_) => "see the store's log".to_owned(),
        None => {
            "start the store, let this network reach it, or correct DOCKET_S3_ENDPOINT and DOCKET_S3_REGION".to_owned()
        }
    };
    let means = "uploads are answered 503 and workers cannot read; no accepted job fails by it";
    Finding::fail(PART, what).means(means).remedy(remedy)
}

async fn lifecycle(blobs: &BlobStore) -> Finding {
    let means = "parts of uploads that were cut off stay in the bucket, unseen and paid for";
    let remedy = "set a lifecycle rule that ends incomplete multipart uploads after a day (deploy/docs/OPERATE.md, S3)";
    match blobs.ends_incomplete_uploads().await {
        Ok(true) => Finding::ok(PART, "a lifecycle rule ends incomplete uploads"),
        Ok(false) => Finding::warn(PART, "no lifecycle rule ends incomplete uploads")
            .means(means)
            .remedy(remedy),
        // Only a note: nothing is known to be wrong, and some stores have no lifecycle rules.
        Err(refusal) => {
            let code = refusal.code.as_deref().unwrap_or("no answer");
            let what = format!("whether a lifecycle rule ends incomplete uploads is not told ({code})");
            let remedy =
                format!("{remedy}, and look at it with the store's own tools; or allow s3:GetLifecycleConfiguration");
            Finding::note(PART, what)
                .means(format!("without one, {means}"))
                .remedy(remedy)
        }
    }
}

async fn published(blobs: &BlobStore, model: &ModelRef) -> Finding {
    let models = Models::new(blobs.clone());
    let broken = |what: String| {
        let finding =
            Finding::fail("models", what).means("uploads that name no model are answered 422, or their jobs fail");
        finding.remedy("docket-worker models list; docket-worker models publish DIR; or correct DOCKET_MODEL_DEFAULT")
    };
    match models.lookup(model).await {
        Ok(Lookup::NoModel) => return broken(format!("the default model {model} is not published")),
        Ok(Lookup::NoVersion) => return broken(format!("of the default model {model} this version is not published")),
        Err(error) => {
            return broken(format!("the default model {model} cannot be read: {}", chain(&error)));
        }
        Ok(Lookup::Published) => {}
    }
    match models.published().await {
        Ok(all) => match all.iter().find(|one| one.name == model.name) {
            Some(one) if one.about.is_some() => {
                let version = one.current.as_ref().map_or("", ModelVersion::as_str);
                Finding::ok(
                    "models",
                    format!("the default model {model} is published; the current version is {version}"),
                )
            }
            Some(_) | None => broken(format!(
                "the manifest of the current version of {} cannot be read",
                model.name
            )),
        },
        Err(error) => broken(format!("models cannot be listed: {}", chain(&error))),
    }
}
