(function_definition name: (_) @name) @def.function
(program (variable_assignment name: (variable_name) @name) @def.variable)
(program (declaration_command (variable_assignment name: (variable_name) @name)) @def.variable)
(program (declaration_command "readonly" (variable_assignment name: (variable_name) @name)) @def.constant)

(command name: (command_name (word) @callee) . argument: [(word) (string) (raw_string) (concatenation)] @import
  (#any-of? @callee "source" "."))
(command name: (command_name (word) @call)
  (#not-any-of? @call "." ":" "[" "cd" "echo" "exit" "printf" "return" "set" "shift" "source" "test" "true" "false"))
(comment) @comment

[(if_statement) (elif_clause) (for_statement) (c_style_for_statement) (while_statement) (case_item)] @branch
(list ["&&" "||"]) @branch
