(class name: (_) @name) @def.class
(module name: (_) @name) @def.module
(method name: (_) @name) @def.method
(singleton_method name: (_) @name) @def.method
(assignment left: (constant) @name) @def.constant

(call method: (identifier) @callee arguments: (argument_list . (string (string_content) @import))
  (#any-of? @callee "require" "require_relative" "load" "autoload"))
(call method: (identifier) @callee arguments: (argument_list (simple_symbol) (string (string_content) @import))
  (#any-of? @callee "require" "require_relative" "load" "autoload"))
(call receiver: (_)? @receiver method: (_) @call)
(superclass (_) @inherit)
(call method: (identifier) @callee arguments: (argument_list [(constant) (scope_resolution)] @inherit)
  (#any-of? @callee "include" "extend" "prepend"))
(comment) @comment

[(if) (elsif) (unless) (while) (until) (for) (when) (in_clause) (rescue) (conditional) (if_modifier)
  (unless_modifier) (while_modifier) (until_modifier) (rescue_modifier)] @branch
(binary operator: ["&&" "||" "and" "or"]) @branch
(body_statement (identifier) @access (#any-of? @access "private" "protected" "public"))
(assignment left: [(identifier) (instance_variable)] @bind.name
  right: (call receiver: [(constant) (scope_resolution)] @bind.type method: (identifier) @made) (#eq? @made "new"))
