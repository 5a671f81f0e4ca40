//! Keys of other vendors whose prefixes are documented by them.

use super::{Class, Kind, Needs, has_a_digit};

pub(super) const ROWS: &[Class] = &[Class {
    name: "vendor-key",
    kind: Kind::Credential,
    needs: Needs::OneOf(&[
        "sk-ant-",
        "sk-proj-",
        "sk-svcacct-",
        "t3blbkfj",
        "hf_",
        "sg.",
        "hvs.",
        "hvb.",
        "hvr.",
        "glsa_",
        "glc_",
        "nrak-",
        "o_v1_",
        "p_v1_",
        "r_v1_",
        "shpat_",
        "shpca_",
        "shppa_",
        "shpss_",
        "dapi",
        "age-secret-key-1",
        "atatt3",
        "dp.pt.",
        "dp.st.",
        ":aa",
        "sntrys_",
        "lin_api_",
        "ops_eyj",
        "pul-",
        ".atlasv1.",
        "dt0c01.",
    ]),
    pattern: r"(?x)
          sk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{20,}                     # Anthropic
        | sk-(?:proj|svcacct)-[A-Za-z0-9_-]{20,}                           # OpenAI
        | sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}
        | hf_[A-Za-z0-9]{30,}                                              # Hugging Face
        | SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}                         # SendGrid
        | hv[sbr]\.[A-Za-z0-9_-]{20,}                                      # HashiCorp Vault
        | [A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}                     # HCP Terraform
        | glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8} | glc_[A-Za-z0-9+/]{32,}={0,2} # Grafana
        | NRAK-[A-Z0-9]{27}                                                # New Relic
        | do[opr]_v1_[0-9a-f]{64}                                          # DigitalOcean
        | shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}                               # Shopify
        | dapi[0-9a-f]{32}                                                 # Databricks
        | AGE-SECRET-KEY-1[0-9A-Z]{58}                                     # age
        | ATATT3[A-Za-z0-9_=-]{60,}                                        # Atlassian
        | dp\.(?:pt|st)\.[A-Za-z0-9.]{40,}                                 # Doppler
        | [0-9]{8,10}:AA[A-Za-z0-9_-]{33}                                  # Telegram
        | sntrys_[A-Za-z0-9+/=_-]{40,}                                     # Sentry
        | lin_api_[A-Za-z0-9]{40}                                          # Linear
        | ops_eyJ[A-Za-z0-9+/]{100,}={0,2}                                 # 1Password
        | pul-[0-9a-f]{40}                                                 # Pulumi
        | dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}                               # Dynatrace
        ",
    judge: Some(has_a_digit),
}];
