//! casbin: roles within domains, as its own example model has them.
//!
//! The model is that of its `rbac_with_domains_model.conf`, with one policy and
//! one person, so that it has nothing to pass over. It is made asynchronously and
//! asked by the synchronous `enforce`, as its README has it. Its cached enforcer
//! is told first what it answers later from its cache. It verifies no token.

use casbin::{CachedEnforcer, CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi, Result};

use crate::question::{ASKED, Question, ROLE};

const MODEL: &str = "
[request_definition]
r = sub, dom, obj, act

[policy_definition]
p = sub, dom, obj, act

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act
";

/// Both enforcers, for one person.
pub(crate) struct Casbin {
    plain: Enforcer,
    cached: CachedEnforcer,
    user: String,
}

impl Casbin {
    /// Enforcers that know a person of this name.
    pub(crate) fn new(user: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().expect("a runtime");
        runtime
            .block_on(async {
                Ok::<_, casbin::Error>(Self {
                    plain: enforcer(user).await?,
                    cached: enforcer(user).await?,
                    user: user.to_owned(),
                })
            })
            .expect("two enforcers")
    }

    /// Whether the enforcer lets it pass.
    pub(crate) fn permits(&self, question: Question) -> bool {
        enforced(&self.plain, &self.user, question)
    }

    /// Whether the one with a cache does.
    pub(crate) fn permits_cached(&self, question: Question) -> bool {
        enforced(&self.cached, &self.user, question)
    }
}

async fn enforcer<E: CoreApi + MgmtApi>(user: &str) -> Result<E> {
    let model = DefaultModel::from_str(MODEL).await?;
    let mut made = E::new(model, MemoryAdapter::default()).await?;
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let (object, action) = parts(ASKED);
    made.add_policy(texts(&[ROLE, ASKED.org, object, action]))
        .await?;
    made.add_grouping_policy(texts(&[user, ROLE, ASKED.org]))
        .await?;
    Ok(made)
}

fn enforced<E: CoreApi>(enforcer: &E, user: &str, question: Question) -> bool {
    let (object, action) = parts(question);
    let asked = std::hint::black_box((user, question.org, object, action));
    enforcer.enforce(asked).unwrap_or(false)
}

/// `runs:read` as an object and an action.
fn parts(question: Question) -> (&'static str, &'static str) {
    let name = question.permission.as_str();
    name.split_once(':').unwrap_or((name, ""))
}
