(function_item name: (_) @name) @def.function
(function_signature_item name: (_) @name) @def.declaration
(struct_item name: (_) @name) @def.struct
(enum_item name: (_) @name) @def.enum
(union_item name: (_) @name) @def.struct
(trait_item name: (_) @name) @def.trait
(type_item name: (_) @name) @def.type
(associated_type name: (_) @name) @def.type
(const_item name: (_) @name) @def.constant
(static_item name: (_) @name) @def.variable
(mod_item name: (_) @name body: (_)) @def.module
(macro_definition name: (_) @name) @def.macro
(impl_item type: [
  (type_identifier) @name
  (primitive_type) @name
  (generic_type type: (_) @name)
  (scoped_type_identifier name: (_) @name)
  (reference_type type: (type_identifier) @name)
]) @scope

[(use_declaration) (extern_crate_declaration)] @imports
(mod_item !body) @imports
(call_expression function: (_) @call)
(macro_invocation macro: (_) @call)
(struct_expression name: (_) @call)
(impl_item trait: (_) @inherit)
(line_comment) @comment
(block_comment) @comment
(attribute_item) @glue

[(if_expression) (while_expression) (for_expression) (loop_expression) (match_arm)] @branch
(binary_expression operator: ["&&" "||"]) @branch
(parameter pattern: (identifier) @bind.name type: (_) @bind.type)
(field_declaration name: (field_identifier) @bind.name type: (_) @bind.type)
(let_declaration pattern: (identifier) @bind.name type: (_) @bind.type)
(let_declaration pattern: (identifier) @bind.name value: (struct_expression name: (_) @bind.type))
(let_declaration pattern: (identifier) @bind.name value: (call_expression
  function: [(identifier) (scoped_identifier)] @bind.call))
