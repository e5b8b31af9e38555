//! Every seed keeps its target's rule: those that were written by hand, and those that once broke it.

use std::path::Path;

/// Runs all there is for `name`; there is something for each.
fn replay(name: &str, check: requestx_fuzz::Check) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let mut seeds: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    for seed in seeds {
        let data = std::fs::read(&seed).unwrap();
        let kept = std::panic::catch_unwind(|| check(&data));
        assert!(kept.is_ok(), "{} breaks the rule", seed.display());
        check(&data[..data.len() / 2]); // and what breaks off in the middle
    }
}

#[test]
fn all_seeds_keep_their_rules() {
    for (name, check) in requestx_fuzz::TARGETS {
        replay(name, check);
    }
}

#[test]
fn every_target_can_be_fuzzed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    for (name, _) in requestx_fuzz::TARGETS {
        let text = std::fs::read_to_string(folder.join(name).with_extension("rs")).unwrap();
        assert!(text.contains(&format!("requestx_fuzz::{name}::check")), "{name}");
    }
}

/// The crates of a lock file, as `name version`.
fn crates(path: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let value = |part: &str, key: &str| {
        let line = part.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.trim_matches([' ', '=', '"']).to_string()
    };
    let parts = text.split("[[package]]").skip(1);
    parts.map(|part| format!("{} {}", value(part, "name"), value(part, "version"))).collect()
}

#[test]
fn what_is_fuzzed_is_made_of_the_librarys_own_crates() {
    let (ours, shipped) = (crates("Cargo.lock"), crates("../Cargo.lock"));
    let others: Vec<_> = ours.iter().filter(|one| !shipped.contains(one)).collect();
    let known = ["arbitrary", "libfuzzer-sys", "requestx-fuzz"];

    assert!(
        !shipped.is_empty() && others.iter().all(|one| known.contains(&one.split(' ').next().unwrap())),
        "{others:?}"
    );
}
