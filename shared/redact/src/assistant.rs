//! Whether a text talks to an AI assistant instead of describing a system.

use std::sync::LazyLock;

use regex::{RegexSet, RegexSetBuilder};

use crate::clean::clean;
use crate::letters::{hidden, plain_letters};

/// What such texts say, in English, matched without regard to case. A blank stands for anything but letters and
/// digits (or an escaped end of line), so that neither `ignore_previous-instructions` nor emphasis nor a line break
/// hides one; `^` is the start of a line or sentence. Each row asks for more than operational text has reason to
/// say: one must be able to read `ignore_errors=true`, `You are now connected` and `system:node` in peace.
const PHRASES: &[&str] = &[
    // an order to drop what was said before
    r"(?:ignore|disregard|forget|override|bypass) (?:(?:all|any|every|each|of|the|your|my|these|those|this|other) ){0,4}(?:previous|prior|above|earlier|preceding|existing|original|initial|system|foregoing)(?: (?:system|safety|and|or|prior|above))* (?:instructions?|prompts?|directions|directives?|guidelines)",
    r"(?:ignore|disregard|forget|override|bypass) (?:(?:all|any|of) ){0,2}(?:your|my|the system|the user s) (?:(?:previous|prior|other|safety) )?(?:instructions?|prompts?|directions|directives?|guidelines|rules|training|programming)",
    r"(?:ignore|disregard|forget) (?:everything|anything)(?: that)? (?:(?:is|was|came|said|written) )?(?:above(?: (?:and|this)\b|\s?[.,;:!\\]|$)|before this|you (?:were|have been|ve been|know|read))",
    r"(?:ignore|disregard) the above (?:instructions?|prompt|directions|text)",
    r"(?:new|updated|real|actual|hidden|secret|override) instructions? (?:for|to) (?:you|(?:(?:the|all|any) )?(?:ai|assistants?|llms?|language models?|ai agents?))\b",
    r"^your (?:new|real|true|actual) (?:task|goal|objective|mission|purpose|instructions?) (?:is|are)\b",
    r"(?:are|here are|read|follow) your (?:new|real|true|actual) instructions\b",
    r"(?:follow|obey|execute) (?:these|my|the following) (?:instructions|orders|commands) instead\b",
    r"(?:do not|don t|stop|never) follow(?:ing)? (?:your (?:[a-z]+ )?|(?:the|any|all) (?:previous|prior|earlier|above|original|system) )(?:instructions|guidelines|rules|directives)\b",
    // a new part to play
    r"you are now (?:[a-z]+ ){0,4}(?:assistant|ai|chatbot|language model|llm|dan|jailbroken|unrestricted|unfiltered|uncensored|(?:developer|god|debug|jailbreak|dan) mode)\b",
    r"you are (?:an?|the) (?:[a-z]+ ){0,2}(?:ai|llm|language model)(?: [a-z]+)? (?:assistant|agent|model|that|who|and|with|without|tasked)\b",
    r"you are an? (?:[a-z]+ ){0,2}assistant (?:that|who|which|and|with|without|tasked)\b",
    r"you are no longer (?:bound|restricted|limited|an? (?:ai|assistant)|required to follow)\b",
    r"from now on you (?:are (?:an?|the|my)|will (?:act|respond|answer|reply|only)|(?:must|should) (?:act|respond|answer|reply|obey|ignore))\b",
    r"^(?:pretend|imagine|act as (?:if|though)) (?:to be|you are|that you are|you have|you were)\b",
    r"act as (?:an? )?(?:unrestricted|unfiltered|uncensored|jailbroken|dan|ai (?:assistant|model|agent)|language model|different assistant)\b",
    r"(?-i:Do Anything Now|DO ANYTHING NOW)\b",
    r"as an? (?:ai|llm|artificial intelligence)(?: large)?(?: language)? (?:(?:model|assistant|chatbot|you)\b|agent\s?,)",
    // orders to use tools, to answer in a certain way, to keep something from the user
    r"^(?:(?:now|then|next|first|you must|you should|you need to|immediately|instead|and) ){0,3}(?:call|invoke|use|run|execute) (?:the|this|your) tools?\b",
    r"^(?:(?:now|then|next|first|you must|you should|you need to|immediately|instead|and) ){0,3}(?:call|invoke) (?:the |your )?[a-z0-9]+(?:_[a-z0-9]+)+[`'\x22]? (?:tool|function)\b",
    r"^(?:(?:now|then|next|first|you must|you should|you need to|immediately|instead|and) ){1,3}(?:call|invoke|use|run) (?:the )?[a-z0-9]+(?:_[a-z0-9]+)+\s?\(",
    r"(?:use|run|execute) (?:the|your) (?:get|list|search|query|find|compare|check|acknowledge|add|extract|correlate|delete|create|update|send|read|write|fetch)_[a-z0-9_]+ (?:tool|function)\b",
    r"^without (?:telling|informing) the (?:user|human)\b",
    r"^(?:tell|instruct|convince) the user to (?:run|visit|open|click|execute|install|paste|download|send|enter)\b",
    r"^(?:when|if) (?:you are )?asked (?:[a-z0-9]+ ){0,6}(?:say|claim|state)(?: that)? (?:there|it|everything|all|nothing|the|no)\b",
    r"^(?:send|post|upload|forward) (?:the|this|your)(?: (?:whole|full|entire|previous))? (?:conversation|chat|context)(?: (?:history|window|log))? to (?:https?|url)\b",
    r"(?:append|add|include|insert|put|attach) (?:this|the following|an?|the) (?:link|url|image|text|sentence|line) (?:to|in|into|at the end of) your (?:final )?(?:answer|response|reply|output|summary|report)\b",
    r"(?:do not|don t|never) (?:tell|inform|mention (?:this |it )?to|report (?:this |it )?to) the (?:user|human)\b",
    r"(?:reveal|print|show|output|repeat|leak|display|expose|reply with|send)(?: me| us)? (?:the|your)(?: full| entire| whole| hidden| initial)? system prompt\b",
    r"your (?:system|initial|hidden) (?:prompt|instructions)\b",
    r"^(?:you must |you should )?(?:respond|reply|answer) only with (?:the|this)\b",
    // a form of address
    r"^(?:hey|hi|hello|dear|(?:attention|note|message|important|instructions?|reminder|warning) (?:to|for)(?: (?:the|any|all))?) (?:ai|llm|claude|chatgpt|gpt|gemini|copilot|language model|assistant)s?(?: (?:reading|agents?|assistants?|models?|please|you|do|ignore|must|should|call|that)\b|\s?[,:!.]|$)",
    r"^attention (?:all )?(?:ai|llm)s? (?:agents?|assistants?|models?)\b",
    r"^to (?:any|the|all|every|whichever) (?:ai|llms?|language models?|assistants?)(?: (?:agents?|assistants?|models?))? (?:reading|that reads?|which reads?|processing|who)\b",
    r"^(?:ai |dear )?(?:assistant|ai|claude|chatgpt|copilot|gemini|llm)\s?[,:!] ?(?:please|you|ignore|disregard|do not|don t|call the|run the|answer the)\b",
];

/// The marks that separate turns, roles and tool results in prompts: matched as they are written.
const MARKERS: &[&str] = &[
    r"<\|\s?/?(?:im_start|im_end|im_sep|system|user|assistant|end|endoftext|begin_of_text|eot_id|start_header_id|end_header_id|python_tag)\s?\|>",
    r"(?-i)\[/?INST\]|<</?SYS>>",
    r"</?(?:start_of_turn|end_of_turn)>",
    r"</?(?:system|assistant|developer)[ _-](?:prompt|message|reminder|instructions?|note)(?:\s[a-z_-]+=[^>]{0,60})?>",
    r"</?(?:tool_calls?|tool_use|tool_results?|tool_response|function_calls?|function_results?|untrusted|quoted(?:[_-][a-z]{1,20})?|evidence)(?:\s[a-z_-]+=[^>]{0,60})?>",
    r"#{2,6}\s?(?:system |new |hidden )?(?:instruction|system prompt)\s?(?::|\\n|$)",
    r#"\\?"role\\?"\s?:\s?\\?"(?:system|assistant|developer)\\?"\s?,\s?\\?"content\\?""#,
    r"(?:\\n\s{0,4}\\n|`{3})(?:\s|\\n){0,8}(?:human|assistant)\s?:\s",
    r"(?:^|\\n|`{3}|\]|>)\s{0,8}\[?(?:system|developer)(?: message| prompt| note| override)?\]?\s?:\s{1,8}(?:you|ignore|disregard|forget|from now on|new instructions?|the (?:user|assistant)|assistant|as an ai|your|do not (?:tell|mention)|override)\b",
    r"(?:\[(?:system|developer)\]|\[?(?:system|developer)[ _-](?:message|prompt|note|override)\]?)\s?:\s{1,8}(?:you (?:must|are|will|should)|ignore|disregard|forget|from now on|new instructions?|as an ai|do not (?:tell|mention)|override)\b",
    r"end of (?:the )?(?:quoted|untrusted|retrieved|evidence|tool)[ _-]?(?:data|text|content|input|output|evidence|results?|block|section)\b",
];

/// The first order of the list above in other languages, read without accents.
const OTHER_LANGUAGES: &[&str] = &[
    r"ignorier(?:e|en|t)(?: sie)? (?:(?:alle|die|deine|ihre|bisherigen|vorherigen|vorigen|obigen) ){1,3}(?:anweisungen|instruktionen|befehle)",
    r"ignore[rz]?(?: toutes)?(?: les| tes| vos)? (?:instructions|consignes|directives) (?:precedentes|anterieures)",
    r"ignor(?:a|ar|ad|e)(?: todas)?(?: las| as| tus| suas)? (?:instrucciones|instrucoes) (?:anteriores|previas)",
    r"ignora(?:re)?(?: tutte)?(?: le| tue)? istruzioni (?:precedenti|anteriori)",
    r"(?:игнорируй|проигнорируй|забудь)(?:те)? (?:все )?(?:предыдущие|прежние|прошлые) (?:инструкции|указания|команды)",
    r"忽略(?:之前|以上|上述|先前|前面)的?(?:所有|全部|任何)?的?(?:指令|指示|提示|说明)",
    r"(?:以前|これまで|上記|前)の(?:すべての)?(?:指示|命令|プロンプト)(?:を|は)(?:すべて)?無視",
];

/// Between the words of a phrase.
const GAP: &str = r"(?:(?:[^a-z0-9]|\\[nr]|%[0-9a-f]{2})+)";
/// Before a phrase that counts only where a line or a sentence starts.
const START: &str = r"(?:^|[.!?:;,\x22'`()\[\]>*#-]|\\[nr])\s{0,4}(?:please,?\s)?";

static DETECTOR: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    let phrases = PHRASES.iter().chain(OTHER_LANGUAGES).map(|phrase| {
        let start = if phrase.starts_with('^') { START } else { "" };
        format!("{start}{}", phrase.trim_start_matches('^').replace(' ', GAP))
    });
    let markers = MARKERS.iter().map(|&marker| marker.to_owned());
    // the fast engine knows word boundaries of ASCII only
    let patterns = phrases.chain(markers).map(|pattern| pattern.replace(r"\b", r"(?-u:\b)"));
    RegexSetBuilder::new(patterns).case_insensitive(true).build().ok()
});

/// Whether `text` talks to an AI assistant: orders to ignore instructions, new parts to play, marks of roles and
/// turns, orders to call tools or to keep something from the user, attempts to close a quotation.
///
/// A cheap mark for the reader, neither a filter nor a promise: it knows common English forms, the commonest order in
/// some other languages, letters that pass for Latin ones and text in characters that do not show; and quoted evidence
/// is data whether marked or not. Takes the text as it was received, or cleaned (without what did not show). Linear.
#[must_use]
pub fn addresses_assistant(text: &str) -> bool {
    // a pattern that cannot be compiled (a test excludes it) marks everything
    let Some(detector) = DETECTOR.as_ref() else { return true };
    let cleaned = clean(text);
    if detector.is_match(&cleaned) {
        return true;
    }
    !text.is_ascii() && (detector.is_match(&plain_letters(&cleaned)) || detector.is_match(&hidden(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_compile() {
        assert_eq!(DETECTOR.as_ref().unwrap().len(), PHRASES.len() + OTHER_LANGUAGES.len() + MARKERS.len());
    }
}
