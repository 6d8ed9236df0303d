(class_definition name: (identifier) @name) @def.class
(function_definition name: (identifier) @name) @def.function
(module (expression_statement (assignment left: (identifier) @name) @def.variable))
(module (expression_statement (assignment left: (pattern_list (identifier) @name)) @def.variable))
(type_alias_statement left: (type (identifier) @name)) @def.type

(import_statement name: (dotted_name) @import)
(import_statement name: (aliased_import name: (dotted_name) @import))
(import_from_statement module_name: (dotted_name) @import)
(import_from_statement module_name: (relative_import (dotted_name)) @import)
(import_from_statement module_name: (relative_import . (import_prefix) .) @import.from name: (dotted_name) @import.name)
(import_from_statement module_name: (relative_import . (import_prefix) .) @import.from
  name: (aliased_import name: (dotted_name) @import.name))

(call function: (_) @call)
(decorator (identifier) @call)
(decorator (attribute) @call)
(class_definition superclasses: (argument_list [(identifier) (attribute)] @inherit))
(comment) @comment
