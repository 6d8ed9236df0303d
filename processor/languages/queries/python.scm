(class_definition name: (identifier) @name) @def.class
(function_definition name: (identifier) @name) @def.function
(module (expression_statement (assignment left: (identifier) @name) @def.variable))
(module (expression_statement (assignment left: (pattern_list (identifier) @name)) @def.variable))
(type_alias_statement left: (type (identifier) @name)) @def.type

[(import_statement) (import_from_statement)] @imports

(call function: (_) @call)
(decorator (identifier) @call)
(decorator (attribute) @call)
(class_definition superclasses: (argument_list [(identifier) (attribute)] @inherit))
(comment) @comment

[(if_statement) (elif_clause) (for_statement) (while_statement) (except_clause) (conditional_expression)
  (boolean_operator) (for_in_clause) (if_clause) (case_clause)] @branch
(typed_parameter . (identifier) @bind.name type: (type) @bind.type)
(typed_default_parameter name: (identifier) @bind.name type: (type) @bind.type)
(assignment left: [(identifier) (attribute)] @bind.name type: (type) @bind.type)
(assignment left: [(identifier) (attribute)] @bind.name right: (call function: [(identifier) (attribute)] @bind.call))
(as_pattern (call function: [(identifier) (attribute)] @bind.call) alias: (as_pattern_target (identifier) @bind.name))
