(document . (object (pair key: (string (string_content) @name)) @def.key))
(document . (object (pair value: (object (pair key: (string (string_content) @name)
  value: [(object) (array)]) @def.key))))
(comment) @comment
