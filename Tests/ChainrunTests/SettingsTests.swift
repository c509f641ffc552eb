import Testing

@Suite("Configuration, secrets, libraries")
struct SettingsTests {
  let configured = graph(
    "t.any", "return { model = cfg.model, n = cfg.max_words }",
    above: "local cfg = chain.config { model = t.string { default = 'small' }, max_words = t.integer { default = 1 } }")

  @Test("the last of default, --config, environment and --set wins")
  func order() throws {
    let program = try Program(["graph.lua": configured, "config.json": #"{"model": "file", "max_words": 2}"#])
    let variables = ["CHAINRUN_CONFIG_MODEL": "environment"]
    #expect(try program.run("graph.lua").output == #"{"model":"small","n":1}"# + "\n")
    #expect(try program.run("graph.lua", "--config", "config.json").output == #"{"model":"file","n":2}"# + "\n")
    #expect(
      try program.run("graph.lua", "--config", "config.json", environment: variables).output == #"{"model":"environment","n":2}"# + "\n")
    #expect(
      try program.run("graph.lua", "--config", "config.json", "--set", "model=set", "--set", "max_words=3", environment: variables).output
        == #"{"model":"set","n":3}"# + "\n")
    #expect(try program.run("graph.lua", environment: ["CHAINRUN_CONFIG_MAX_WORDS": "9"]).output == #"{"model":"small","n":9}"# + "\n")
  }

  @Test("a name that no file declares, and a value that does not fit, are problems of the graph", arguments: [
    ("modle=x", "did you mean 'model'?"), ("max_words=many", "max_words"), ("max_words=1.5", "max_words"),
  ])
  func wrong(_ setting: String, _ expected: String) throws {
    let outcome = try Program(["graph.lua": configured]).run("graph.lua", "--set", setting)
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    #expect(outcome.status == 3)
  }

  @Test("a file of configuration that is none", arguments: ["{", "[1]", ""])
  func wrongFile(_ text: String) throws {
    let outcome = try Program(["graph.lua": configured, "config.json": text]).run("graph.lua", "--config", "config.json")
    #expect(outcome.errors.hasPrefix("chainrun: --config config.json: "))
    #expect(outcome.status == 2)
  }

  @Test("secrets come from the environment by their names, and are not logged")
  func secrets() throws {
    let program = try Program(["graph.lua": graph("t.integer", "print(self.secrets.API_KEY) return #self.secrets.API_KEY", spec: "secrets = { 'API_KEY' },")])
    let outcome = try program.run("graph.lua", environment: ["API_KEY": "verysecret"])
    #expect(outcome.output == "10\n")
    #expect(!outcome.errors.contains("verysecret"))
    let missing = try program.run("graph.lua")
    #expect(missing.errors.contains("the secret 'API_KEY' is not set; set the environment variable API_KEY"))
    #expect(missing.status == 3)
  }

  @Test("--lib gives a folder a name")
  func libraries() throws {
    let program = try Program(["graph.lua": graph("t.integer", "return seven", above: "local seven = require 'shared.seven'"), "library/seven.lua": "return 7"])
    #expect(try program.run("graph.lua", "--lib", "shared=library").output == "7\n")
    #expect(try program.run("graph.lua", "--lib", "shared=nowhere").status == 3)
    #expect(try program.run("graph.lua", "--lib", "shared").status == 2)
    #expect(try program.run("graph.lua").status == 3)
  }

  @Test("--limit and CHAINRUN_LIMIT_<NAME> bound what chainlets may ask for")
  func operatorLimits() throws {
    let program = try Program(["graph.lua": graph("t.integer", "return 1", spec: "limits = { memory = '32MB' },")])
    #expect(try program.run("graph.lua", "--limit", "memory=32MB").output == "1\n")
    let refused = try program.run("graph.lua", "--limit", "memory=16MB")
    #expect(refused.status == 3)
    #expect(refused.errors.contains("Main.limits.memory: asks for 32 MB, and the operator of this host allows 16 MB"))
    #expect(try program.run("check", "graph.lua", environment: ["CHAINRUN_LIMIT_MEMORY": "16MB"]).status == 3)
    #expect(try program.run("graph.lua", "--limit", "memory=32MB", environment: ["CHAINRUN_LIMIT_MEMORY": "16MB"]).status == 0)
    #expect(try program.run("graph.lua", "--limit", "memory").status == 2)
    let twice = try program.run("graph.lua", "--limit", "cpu=1", "--limit", "cpu=5")
    #expect(twice.errors == "chainrun: --limit cpu is given twice\n")
    #expect(twice.status == 2)
    let wrong = try program.run("graph.lua", environment: ["CHAINRUN_LIMIT_CPUS": "2"])
    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("CHAINRUN_LIMIT_CPUS: there is no limit 'cpus'; did you mean 'cpu'?"))
  }
}
