//! The calls of S3 that the store answers. All others are refused as not implemented.

use std::io;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::actions::{PAGE_KEYS_MAX, Service, announced, attributes};
use super::parts::hex;
use super::receive::{Announced, receive};
use super::store::{Attributes, Object};

/// Bytes read from a file at a time.
const READ_BYTES: usize = 256 * 1024;
/// Highest number of a part, as S3 has it.
const PART_NUMBER_MAX: i32 = 10_000;

fn count(number: usize) -> Option<i32> {
    i32::try_from(number).ok()
}

fn as_listed(object: Object) -> s3s::dto::Object {
    s3s::dto::Object {
        key: Some(object.key),
        size: Some(object.size.cast_signed()),
        e_tag: Some(ETag::Strong(object.etag)),
        last_modified: Some(object.modified.into()),
        ..Default::default()
    }
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        self.store.create_bucket(&req.input.bucket)?;
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.store.delete_bucket(&req.input.bucket)?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.store.check_bucket(&req.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = self.store.buckets().into_iter();
        let buckets = buckets.map(|(name, created)| Bucket {
            name: Some(name),
            creation_date: Some(created.into()),
            ..Default::default()
        });
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            ..Default::default()
        }))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let object = self.put(req.input, req.trailing_headers).await?;
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(ETag::Strong(object.etag)),
            ..Default::default()
        }))
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let object = self.copy(req.input).await?;
        let result = CopyObjectResult {
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(object.modified.into()),
            ..Default::default()
        };
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(result),
            ..Default::default()
        }))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let (object, file) = self.store.read(&req.input.bucket, &req.input.key)?;
        let range = req.input.range.map(|range| range.check(object.size)).transpose()?;
        let content_range = range
            .as_ref()
            .map(|r| format!("bytes {}-{}/{}", r.start, r.end - 1, object.size));
        let range = range.unwrap_or(0..object.size);
        let mut file = tokio::fs::File::from_std(file);
        file.seek(io::SeekFrom::Start(range.start))
            .await
            .map_err(|error| s3_error!(error, InternalError))?;
        let length = range.end - range.start;
        let body = ReaderStream::with_capacity(file.take(length), READ_BYTES);
        let attributes = object.attributes;
        Ok(S3Response::new(GetObjectOutput {
            body: Some(StreamingBlob::wrap(body)),
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(length.cast_signed()),
            content_range,
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(object.modified.into()),
            content_type: attributes.content_type,
            content_encoding: attributes.content_encoding,
            content_disposition: attributes.content_disposition,
            content_language: attributes.content_language,
            cache_control: attributes.cache_control,
            metadata: Some(attributes.metadata),
            ..Default::default()
        }))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let object = self.store.find(&req.input.bucket, &req.input.key)?;
        let attributes = object.attributes;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(object.size.cast_signed()),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(object.modified.into()),
            content_type: attributes.content_type,
            content_encoding: attributes.content_encoding,
            content_disposition: attributes.content_disposition,
            content_language: attributes.content_language,
            cache_control: attributes.cache_control,
            metadata: Some(attributes.metadata),
            ..Default::default()
        }))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.store.delete(&req.input.bucket, &req.input.key)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let mut deleted = Vec::new();
        for object in req.input.delete.objects {
            self.store.delete(&req.input.bucket, &object.key)?;
            deleted.push(DeletedObject {
                key: Some(object.key),
                ..Default::default()
            });
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: Some(deleted),
            ..Default::default()
        }))
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let page = self.page(&req.input)?;
        let input = req.input;
        let prefixes = page
            .prefixes
            .into_iter()
            .map(|prefix| CommonPrefix { prefix: Some(prefix) });
        let prefixes: Vec<_> = prefixes.collect();
        Ok(S3Response::new(ListObjectsV2Output {
            key_count: count(page.objects.len() + prefixes.len()),
            contents: Some(page.objects.into_iter().map(as_listed).collect()),
            common_prefixes: Some(prefixes),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next,
            max_keys: Some(input.max_keys.unwrap_or(PAGE_KEYS_MAX)),
            continuation_token: input.continuation_token,
            start_after: input.start_after,
            delimiter: input.delimiter,
            prefix: input.prefix,
            name: Some(input.bucket),
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = req.input;
        let attributes = attributes!(input);
        let id = self.store.begin_upload(&input.bucket, input.key.clone(), attributes)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id.to_string()),
            ..Default::default()
        }))
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let (input, trailers) = (req.input, req.trailing_headers);
        if !(1..=PART_NUMBER_MAX).contains(&input.part_number) {
            return Err(s3_error!(
                InvalidArgument,
                "parts are numbered from 1 to {PART_NUMBER_MAX}"
            ));
        }
        self.store.upload(&input.bucket, &input.upload_id, |_| Ok(()))?;
        let announced = announced!(input, trailers);
        let part = receive(&self.store, input.body, announced).await?;
        let etag = hex(&part.md5);
        self.store.upload(&input.bucket, &input.upload_id, |upload| {
            upload.parts.insert(input.part_number, Arc::new(part));
            Ok(())
        })?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(etag)),
            ..Default::default()
        }))
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = req.input;
        let parts = self.store.upload(&input.bucket, &input.upload_id, |upload| {
            let parts = upload.parts.iter().map(|(number, part)| Part {
                part_number: Some(*number),
                size: Some(part.size.cast_signed()),
                e_tag: Some(ETag::Strong(hex(&part.md5))),
                ..Default::default()
            });
            Ok(parts.collect())
        })?;
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            parts: Some(parts),
            is_truncated: Some(false),
            ..Default::default()
        }))
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = req.input;
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let uploads = self
            .store
            .uploads(&input.bucket)?
            .into_iter()
            .filter(|(_, upload)| upload.key.starts_with(prefix));
        let uploads = uploads.map(|(id, upload)| MultipartUpload {
            upload_id: Some(id.to_string()),
            key: Some(upload.key),
            initiated: Some(upload.initiated.into()),
            ..Default::default()
        });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            uploads: Some(uploads.collect()),
            bucket: Some(input.bucket),
            prefix: input.prefix,
            is_truncated: Some(false),
            ..Default::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let bucket = req.input.bucket.clone();
        let object = self.complete(req.input).await?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(object.key),
            e_tag: Some(ETag::Strong(object.etag)),
            ..Default::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.store.end_upload(&req.input.bucket, &req.input.upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
