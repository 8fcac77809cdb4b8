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

    @Test(arguments: [
        ("select updated_at from inserts", true), ("with w as (select 1) table w", true), ("(values (1))", true),
        ("select 1 INTO x", false), ("with w as (Delete from t returning *) table w", false),
        ("select 1; select 2", false),
        ("select * from t for no key update", false), ("select * from t for share", false), ("show all", false),
    ])
    func tellsWhatOnlyReads(sql: String, isPlain: Bool) {
        #expect(StatementTraits(sql).isPlainQuery == isPlain)
    }

    @Test func judgesAllStatementsOfAText() {
        #expect(StatementTraits("select 1; set x = 1; select 2").dirties)
        #expect(StatementTraits("select 1; select 2").count == 2)
        #expect(StatementTraits(" -- nothing").count == 0)
    }
}
