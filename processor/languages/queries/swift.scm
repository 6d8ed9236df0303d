(class_declaration declaration_kind: "class" name: (_) @name) @def.class
(class_declaration declaration_kind: "actor" name: (_) @name) @def.class
(class_declaration declaration_kind: "struct" name: (_) @name) @def.struct
(class_declaration declaration_kind: "enum" name: (_) @name) @def.enum
(class_declaration declaration_kind: "extension" name: (_) @name) @scope
(protocol_declaration name: (_) @name) @def.interface
(enum_entry name: (simple_identifier) @name) @def.constant
(function_declaration name: (simple_identifier) @name) @def.function
(init_declaration name: "init" @name) @def.method
(deinit_declaration "deinit" @name) @def.method
(subscript_declaration "subscript" @name (computed_property) @body) @def.method
(protocol_function_declaration name: (simple_identifier) @name) @def.declaration
(protocol_property_declaration name: (pattern bound_identifier: (_) @name)) @def.declaration
(associatedtype_declaration name: (type_identifier) @name) @def.declaration
(typealias_declaration name: (type_identifier) @name) @def.type
(macro_declaration (simple_identifier) @name) @def.macro
(source_file (property_declaration name: (pattern bound_identifier: (_) @name)) @def.variable)
(class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @def.property)
(enum_class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @def.property)

(import_declaration (identifier) @import)
(call_expression . (_) @call)
(constructor_expression constructed_type: (_) @call)
(macro_invocation (simple_identifier) @call)
(inheritance_specifier inherits_from: (_) @inherit)
[(comment) (multiline_comment)] @comment

[(if_statement) (guard_statement) (for_statement) (while_statement) (repeat_while_statement) (switch_entry)
  (catch_block) (ternary_expression) (conjunction_expression) (disjunction_expression)] @branch
