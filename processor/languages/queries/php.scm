(class_declaration name: (_) @name) @def.class
(interface_declaration name: (_) @name) @def.interface
(trait_declaration name: (_) @name) @def.trait
(enum_declaration name: (_) @name) @def.enum
(function_definition name: (_) @name) @def.function
(method_declaration name: (_) @name) @def.method
(const_element . (name) @name) @def.constant

(namespace_use_declaration) @imports
(require_expression (string (string_content) @import))
(require_once_expression (string (string_content) @import))
(include_expression (string (string_content) @import))
(include_once_expression (string (string_content) @import))
(function_call_expression function: (_) @call)
(member_call_expression object: (_) @receiver name: (name) @call)
(nullsafe_member_call_expression object: (_) @receiver name: (name) @call)
(scoped_call_expression scope: (_) @receiver name: (name) @call)
(object_creation_expression [(name) (qualified_name)] @call)
(base_clause (_) @inherit)
(class_interface_clause (_) @inherit)
(use_declaration (_) @inherit)
(comment) @comment

[(if_statement) (else_if_clause) (for_statement) (foreach_statement) (while_statement) (do_statement)
  (case_statement) (catch_clause) (conditional_expression) (match_conditional_expression)] @branch
(binary_expression operator: ["&&" "||" "??" "and" "or"]) @branch
(simple_parameter type: (_) @bind.type name: (variable_name) @bind.name)
(assignment_expression left: (variable_name) @bind.name right: (object_creation_expression [(name) (qualified_name)] @bind.type))
