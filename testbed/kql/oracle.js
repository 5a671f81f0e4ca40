// Microsoft's own KQL parser, asked about texts: one JSON string a line in, one JSON object a line out.
//
//   {"kind": "Query" | "Command" | …, "errors": ["Missing expression at 9"], "calls": ["count"], "plugins": ["bag_unpack"],
//    "nodes": ["SetOptionStatement", …]}
//
// `calls` are the functions a text calls, `plugins` those of its evaluate operators, `nodes` the kinds of its syntax tree.
"use strict";

const { createRequire } = require("node:module");
const { createInterface } = require("node:readline");

// The packages are installed elsewhere: KQL_ORACLE_PACKAGES is the directory that has node_modules.
const load = createRequire(`${process.env.KQL_ORACLE_PACKAGES || __dirname}/package.json`);
load("@kusto/language-service-next/bridge.js");
load("@kusto/language-service-next/Kusto.Language.Bridge.js");
const { KustoCode, Syntax } = globalThis.Kusto.Language;

const kindNames = new Map();
for (const [name, value] of Object.entries(Syntax.SyntaxKind)) {
  if (typeof value === "number") kindNames.set(value, name);
}

function answer(text) {
  const code = KustoCode.Parse(text);
  const diagnostics = code.GetSyntaxDiagnostics();
  const errors = [];
  for (let index = 0; index < diagnostics.Count; index++) {
    const found = diagnostics.getItem(index);
    if (found.Severity === "Error") errors.push(`${found.Message} at ${found.Start}`);
  }
  const seen = { calls: new Set(), plugins: new Set(), nodes: new Set() };
  walk(code.Syntax, seen);
  const lists = Object.fromEntries(Object.entries(seen).map(([name, set]) => [name, [...set]]));
  return { kind: code.Kind, errors, ...lists };
}

// Without recursion: hostile texts are deep.
function walk(root, seen) {
  const waiting = [root];
  while (waiting.length > 0) {
    const node = waiting.pop();
    const kind = kindNames.get(node.Kind);
    if (!kind.endsWith("Token") && !kind.endsWith("Keyword")) seen.nodes.add(kind);
    if (kind === "FunctionCallExpression") {
      const plugin = node.Parent && kindNames.get(node.Parent.Kind) === "EvaluateOperator";
      (plugin ? seen.plugins : seen.calls).add(String(node.Name.SimpleName));
    }
    for (let index = 0; index < node.ChildCount; index++) {
      const child = node.GetChild(index);
      if (child) waiting.push(child);
    }
  }
}

createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  let found;
  try {
    found = answer(JSON.parse(line));
  } catch (error) {
    // A text that breaks the parser is no query.
    found = { kind: "Broken", errors: [String(error)], calls: [], plugins: [], nodes: [] };
  }
  process.stdout.write(`${JSON.stringify(found)}\n`);
});
