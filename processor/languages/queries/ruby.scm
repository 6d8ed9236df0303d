(class name: (_) @name) @def.class
(module name: (_) @name) @def.module
(method name: (_) @name) @def.method
(singleton_method name: (_) @name) @def.method
(assignment left: (constant) @name) @def.constant

(call method: (identifier) @callee arguments: (argument_list . (string (string_content) @import))
  (#any-of? @callee "require" "require_relative" "load" "autoload"))
(call method: (identifier) @callee arguments: (argument_list (simple_symbol) (string (string_content) @import))
  (#any-of? @callee "require" "require_relative" "load" "autoload"))
(call method: (_) @call)
(superclass (_) @inherit)
(call method: (identifier) @callee arguments: (argument_list [(constant) (scope_resolution)] @inherit)
  (#any-of? @callee "include" "extend" "prepend"))
(comment) @comment
