//! Prompts as clients see them.

use contract::nearest;
use rmcp::{
    ErrorData,
    model::{GetPromptResult, JsonObject, Prompt as Listed, PromptArgument, PromptMessage, Role},
};
use serde_json::Value;

use crate::server::Prompt;

pub(crate) fn listed(prompt: &Prompt) -> Listed {
    let arguments = prompt.arguments.iter().map(|(name, description, required)| {
        PromptArgument::new(*name).with_description(*description).with_required(*required)
    });
    Listed::new(prompt.name, Some(prompt.description), Some(arguments.collect())).with_title(prompt.title)
}

/// The prompt's text with its arguments filled in.
pub(crate) fn filled(
    prompts: &[Prompt],
    name: &str,
    given: Option<JsonObject>,
) -> Result<GetPromptResult, ErrorData> {
    let Some(prompt) = prompts.iter().find(|prompt| prompt.name == name) else {
        let known: Vec<&str> = prompts.iter().map(|prompt| prompt.name).collect();
        let meant = nearest(name, known.iter().copied(), 1);
        let hint = meant.first().map_or(String::new(), |first| format!("; did you mean `{first}`?"));
        return Err(ErrorData::invalid_params(
            format!("no such prompt{hint} prompts: {}", known.join(", ")),
            None,
        ));
    };
    let given = given.unwrap_or_default();
    let mut text = prompt.text.to_owned();
    for (name, description, required) in prompt.arguments {
        let value = given.get(*name).and_then(Value::as_str).map(str::trim).filter(|value| !value.is_empty());
        if value.is_none() && *required {
            return Err(ErrorData::invalid_params(format!("`{name}` is missing: {description}"), None));
        }
        let value: String = redact::clean(value.unwrap_or("(not given)")).chars().take(200).collect();
        text = text.replace(&format!("{{{name}}}"), &value);
    }
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)])
        .with_description(prompt.description))
}
