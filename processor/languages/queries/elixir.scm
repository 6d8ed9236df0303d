(call target: (identifier) @callee (arguments . (alias) @name) (do_block) @body
  (#eq? @callee "defmodule")) @def.module
(call target: (identifier) @callee (arguments . (alias) @name) (do_block) @body
  (#eq? @callee "defprotocol")) @def.interface
(call target: (identifier) @callee (arguments . (alias) @name .) (do_block) (#eq? @callee "defimpl")) @scope
(call target: (identifier) @callee (arguments . (alias) (keywords . (pair value: (alias) @name))) (do_block)
  (#eq? @callee "defimpl")) @scope
(call target: (identifier) @callee (arguments . (alias) @name) (do_block
  (unary_operator operand: (call target: (identifier) @attribute (arguments (string (quoted_content) @doc)))))
  (#any-of? @callee "defmodule" "defprotocol") (#eq? @attribute "moduledoc")) @def.module

(call target: (identifier) @callee (arguments . (identifier) @name) (do_block)? @body
  (#any-of? @callee "def" "defp" "defdelegate" "defguard" "defguardp" "defn" "defnp")) @def.function
(call target: (identifier) @callee (arguments . (call target: (identifier) @name)) (do_block)? @body
  (#any-of? @callee "def" "defp" "defdelegate" "defguard" "defguardp" "defn" "defnp")) @def.function
(call target: (identifier) @callee (arguments . (binary_operator left: (call target: (identifier) @name) "when"))
  (do_block)? @body
  (#any-of? @callee "def" "defp" "defdelegate" "defguard" "defguardp" "defn" "defnp")) @def.function
(call target: (identifier) @callee (arguments . [
  (identifier) @name
  (call target: (identifier) @name)
  (binary_operator left: (call target: (identifier) @name) "when")
]) (do_block)? @body
  (#any-of? @callee "defmacro" "defmacrop")) @def.macro
(unary_operator operand: (call target: (identifier) @callee (arguments . (binary_operator left: [
  (identifier) @name
  (call target: (identifier) @name)
])) (#any-of? @callee "type" "typep" "opaque"))) @def.type
(unary_operator operand: (call target: (identifier) @callee (arguments . (binary_operator left: (call
  target: (identifier) @name))) (#any-of? @callee "callback" "macrocallback"))) @def.declaration
(do_block (unary_operator "@" operand: (call target: (identifier) @name (arguments))
  (#not-any-of? @name "after_compile" "before_compile" "behaviour" "callback" "compile" "deprecated" "derive" "dialyzer"
    "doc" "enforce_keys" "external_resource" "impl" "macrocallback" "moduledoc" "on_definition" "on_load" "opaque"
    "optional_callbacks" "since" "spec" "tag" "type" "typedoc" "typep")) @def.constant)

(call target: (identifier) @callee (arguments . (alias) @import)
  (#any-of? @callee "use" "import" "alias" "require"))
(call target: (identifier) @callee (arguments . (dot left: (alias) @import.from right: (tuple (alias) @import.name)))
  (#any-of? @callee "use" "import" "alias" "require"))
(call target: (identifier) @callee (arguments . (alias) @inherit) (do_block) (#eq? @callee "defimpl"))
(unary_operator operand: (call target: (identifier) @callee (arguments . (alias) @inherit)
  (#eq? @callee "behaviour")))
(call target: [(identifier) (dot)] @call
  (#not-any-of? @call "alias" "case" "cond" "def" "defdelegate" "defexception" "defguard" "defguardp" "defimpl"
    "defmacro" "defmacrop" "defmodule" "defn" "defnp" "defoverridable" "defp" "defprotocol" "defstruct" "for" "if"
    "import" "quote" "raise" "receive" "require" "try" "unless" "unquote" "unquote_splicing" "use" "with"))
(unary_operator "@") @quiet
(call target: (identifier) @callee (arguments . [
  (call) @quiet
  (binary_operator left: (call) @quiet "when")
]) (#any-of? @callee "def" "defp" "defdelegate" "defguard" "defguardp" "defmacro" "defmacrop" "defn" "defnp"))

(unary_operator operand: (call target: (identifier) @callee (arguments (string (quoted_content) @doc)))
  (#any-of? @callee "doc" "typedoc")) @comment
(unary_operator operand: (call target: (identifier) @callee)
  (#any-of? @callee "spec" "impl" "since" "deprecated")) @glue
(comment) @comment

(call target: (identifier) @word (#any-of? @word "if" "unless" "for" "while")) @branch
(do_block (stab_clause) @branch)
