//! A request as its caller wrote it, from which each hop's plan is made.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::jar::{self, Cookie};
use crate::body::send::Upload;
use crate::error::Error;
use crate::plan::{Outgoing, Plan};

/// Method, URL and fields, which a redirect may change; they are checked when a plan is made of them.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// With its fragment.
    pub url: String,
    pub fields: Vec<(Bytes, Bytes)>,
    pub body: Outgoing,
}

impl Request {
    /// What `plan` was made of.
    pub fn of(plan: &Plan) -> Request {
        let mut lines = plan.source.split(|byte| *byte == b'\n').map(|line| plan.source.slice_ref(line));
        let mut text = || String::from_utf8_lossy(&lines.next().unwrap_or_default()).into_owned();
        let (method, url) = (text(), text());
        let mut fields = Vec::new();
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            fields.push((name, value));
        }
        Request { method, url, fields, body: plan.body.clone() }
    }

    /// The plan of the next hop, which differs from `before` in what is written here, and takes `cookies` along.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn plan(&self, before: &Plan, cookies: &[Cookie]) -> Result<Plan, Error> {
        let fields = self.fields_with(cookies);
        let mut head = Vec::with_capacity(before.source.len() + self.url.len());
        head.extend_from_slice(self.method.as_bytes());
        head.push(b'\n');
        head.extend_from_slice(self.url.as_bytes());
        for part in fields.iter().flat_map(|(name, value)| [name, value]) {
            head.push(b'\n');
            head.extend_from_slice(part);
        }
        Plan::parse(&head, fields.len(), self.body.clone(), before.options.clone(), before.stream)
    }

    /// The fields, with one of cookies in the place of the caller's, or behind the others.
    fn fields_with(&self, cookies: &[Cookie]) -> Cow<'_, [(Bytes, Bytes)]> {
        if cookies.is_empty() {
            return Cow::Borrowed(&self.fields);
        }
        let mut fields = self.fields.clone();
        match fields.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(b"cookie")) {
            Some((_, given)) => *given = jar::field(cookies, given).into(),
            None => fields.push((Bytes::from_static(b"Cookie"), jar::field(cookies, b"").into())),
        }
        Cow::Owned(fields)
    }

    /// Whether it says who asks.
    pub fn says_who(&self) -> bool {
        self.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"authorization"))
    }

    /// Says who asks, in the place of what it said before.
    pub fn log_in(&mut self, credentials: Bytes) {
        self.drop_fields(|name| name == "authorization");
        self.fields.push((Bytes::from_static(b"Authorization"), credentials));
    }

    /// The body that can be sent again.
    pub fn body(&self) -> &[u8] {
        match &self.body {
            Outgoing::Whole(bytes) => bytes,
            _ => b"",
        }
    }

    /// Takes away the fields that `goes` says so of, by their names in lower case.
    pub fn drop_fields(&mut self, goes: impl Fn(&str) -> bool) {
        self.fields.retain(|(name, _)| !goes(&String::from_utf8_lossy(name).to_ascii_lowercase()));
    }

    /// The body that only its caller could send again.
    pub fn upload(&self) -> Option<&Arc<Upload>> {
        match &self.body {
            Outgoing::Pushed(upload) => Some(upload),
            _ => None,
        }
    }
}
