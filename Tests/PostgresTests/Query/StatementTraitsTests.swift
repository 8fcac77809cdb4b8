import Testing

@testable import Postgres

struct StatementTraitsTests {
    @Test(arguments: [
        ("select 1", true, false), ("(select 1)", true, false), ("with x as (select 1) table x", true, false),
        ("insert into t values (1)", true, false), ("begin", false, false), ("set x = 1", false, true),
        ("listen c", false, true), ("create table t ()", false, false), ("create TEMPORARY table t ()", false, true),
        ("select set_config('a', 'b', false)", true, true), ("select pg_Advisory_lock(1)", true, true),
        ("do $$ begin end $$", false, true), ("declare c cursor with hold for select 1", false, true),
        ("copy t to stdout", false, false), ("call p()", false, true),
    ])
    func judgesAStatement(sql: String, plannable: Bool, dirties: Bool) {
        let traits = StatementTraits(sql)

        #expect(traits.count == 1)
        #expect(traits.isPlannable == plannable)
        #expect(traits.dirties == dirties)
    }

    @Test func judgesAllStatementsOfAText() {
        #expect(StatementTraits("select 1; set x = 1; select 2").dirties)
        #expect(StatementTraits("select 1; select 2").count == 2)
        #expect(StatementTraits(" -- nothing").count == 0)
    }
}
