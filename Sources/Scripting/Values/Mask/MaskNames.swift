/// The names that `Mask.name` picks from: common, short, plain ASCII.
enum MaskNames {
    static let first = """
        Ada Alan Alba Alma Amir Anna Anton Aria Astrid Ava Ben Bella Bruno Carl Clara Cora Dana David Diana Dora Edgar \
        Elena Elias Ella Emil Emma Erik Eva Felix Finn Flora Frank Frida Gina Greta Hana Hans Helen Hugo Ida Igor Ines \
        Ivan Jack Jana Jonas Julia Karl Kira Lara Laura Leo Lena Lily Lina Louis Lucia Luis Maria Marco Marta Max Maya \
        Mia Mila Milan Mira Nadia Nina Noah Nora Olga Oliver Omar Oscar Otto Paul Paula Peter Petra Pia Rafael Rita Rosa \
        Ruth Sam Sara Simon Sofia Stella Sven Tara Theo Thomas Tina Tom Vera Victor Viola Yara Zoe
        """.split(separator: " ").map(String.init)

    static let last = """
        Adams Allen Baker Barnes Bauer Becker Bell Bennett Berg Brooks Brown Burke Carter Clark Cole Collins Cook Cooper \
        Cruz Davis Diaz Dixon Duncan Ellis Evans Fischer Fisher Flores Ford Foster Fox Garcia Gibson Grant Gray Green \
        Hall Hansen Harris Hart Hayes Hill Hoffman Holmes Howard Hughes Hunt Jackson James Jensen Jones Keller Kelly King \
        Klein Kowalski Lang Larsen Lee Lewis Lopez Martin Mason Meyer Miller Moore Morgan Morris Moser Murphy Murray Myers \
        Nelson Novak Olsen Owens Palmer Parker Perez Perry Peters Porter Price Reed Reyes Rice Rivera Roberts Rossi Ryan \
        Santos Schmidt Scott Silva Smith Stone Torres Turner Walker Ward Weber Wells White Wood Young
        """.split(separator: " ").map(String.init)
}
